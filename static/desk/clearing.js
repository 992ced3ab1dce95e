/* The clearing page by keyboard, beside new words, and through a crash. Without this it works all the same. */
;(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)]
  const root = document.documentElement

  /* ---- the bar at the foot: what opens in it, how high it is, and that it is sent once ---- */

  function dock() {
    const bar = document.querySelector(".dock")
    if (!bar) return
    // So that what has the focus is never behind it.
    new ResizeObserver(() => root.style.setProperty("--dock", `${bar.offsetHeight}px`)).observe(bar)
    // At once, and not at the event "toggle": the next letter that is typed belongs into the field.
    all("[data-ask]", bar).forEach((ask) => {
      ask.querySelector("summary").addEventListener("click", (event) => {
        event.preventDefault()
        ask.open = !ask.open
        if (ask.open) ask.querySelector("textarea").focus({ preventScroll: true })
      })
    })
    // Escape closes what was opened last, and leaves the words in it.
    bar.addEventListener("keydown", (event) => {
      const open = event.key === "Escape" && event.target.closest("details[open]")
      if (!open || event.defaultPrevented) return
      event.preventDefault()
      open.open = false
      open.querySelector("summary").focus()
    })
    // Words that were put back are shown, wherever they stand.
    bar.addEventListener("input", (event) => {
      if (!event.target.value?.trim()) return
      for (let box = event.target.closest("details"); box; box = box.parentElement.closest("details")) box.open = true
    })
  }

  function once() {
    all("form.decide, form[data-once]").forEach((form) => {
      let sent = false
      form.addEventListener("submit", (event) => {
        if (sent) event.preventDefault()
        sent = true
      })
      window.addEventListener("pageshow", () => (sent = false))
    })
  }

  /* ---- what was typed stays in this browser (see drafts.js) until a decision has arrived ---- */

  function arrived() {
    const form = document.querySelector("form.decide[data-keep]")
    if (!form) return
    const sent = `newsroom:sent:${form.dataset.keep}`
    try {
      const before = localStorage.getItem(sent)
      if (before !== null && before !== form.dataset.decided) localStorage.removeItem(`newsroom:kept:${form.dataset.keep}`)
      localStorage.removeItem(sent)
      form.addEventListener("submit", () => localStorage.setItem(sent, form.dataset.decided))
    } catch {
      // A browser that stores nothing has nothing to forget.
    }
  }

  /* ---- the difference: from change to change, and how it is shown ---- */

  function changes() {
    let last = null
    document.addEventListener("click", (event) => {
      const step = event.target.closest("[data-step]")
      const view = event.target.closest("[data-view]")
      const link = event.target.closest("#change .seg a")
      if (step) last = go(Number(step.dataset.step), last)
      if (view) next(view).click()
      if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
        event.preventDefault()
        swap(link)
      }
    })
  }

  /* What changed, one after the other: words that follow each other directly are one change. */
  function found() {
    const marks = all(".change :is(ins, del, .moved, .moved-block)").filter((mark) => !mark.parentElement.closest("ins, del, .moved"))
    return marks.filter((mark) => {
      const before = mark.previousSibling
      const gap = before?.nodeType === Node.TEXT_NODE ? before.data : ""
      const one = gap.trim() ? null : mark.previousElementSibling
      return !(mark.matches("ins") && one?.matches("del"))
    })
  }

  function go(step, last) {
    const marks = found()
    if (!marks.length) return null
    const here = marks.indexOf(last)
    const mark = marks[here < 0 ? (step > 0 ? 0 : marks.length - 1) : (here + step + marks.length) % marks.length]
    all(".change .here").forEach((one) => one.classList.remove("here"))
    mark.classList.add("here")
    mark.tabIndex = -1
    mark.focus({ preventScroll: true })
    mark.scrollIntoView({ block: "center" })
    return mark
  }

  /* The view after the one that is shown. */
  function next(button) {
    const links = all(".views a", button.closest(".change"))
    const here = links.findIndex((link) => link.hasAttribute("aria-current"))
    return links[(here + 1) % links.length]
  }

  /* Another view in place of this one, of the same revision: what was typed and what is signed stay as they are. */
  async function swap(link) {
    const panel = link.closest(".change")
    try {
      const answer = await fetch(link.href, { headers: { Accept: "text/html" }, redirect: "error" })
      const page = new DOMParser().parseFromString(await answer.text(), "text/html")
      const other = page.getElementById(panel.id)
      if (!answer.ok || other?.dataset.change !== panel.dataset.change) throw new Error("another page")
      const words = link.textContent
      panel.replaceWith(document.adoptNode(other))
      document.dispatchEvent(new CustomEvent("keys:changed"))
      history.replaceState(null, "", link.href)
      all(".seg a", other).find((one) => one.textContent === words)?.focus({ preventScroll: true })
    } catch {
      location.href = link.href
    }
  }

  /* ---- what happens meanwhile ---- */

  function news() {
    const line = document.querySelector("[data-news]")
    if (!line) return
    const EVERY = 15_000
    let asking = false
    const ask = async () => {
      if (document.hidden || asking || line.childElementCount) return
      asking = true
      try {
        const answer = await fetch(line.dataset.news, { redirect: "error" })
        if (answer.status === 200) tell(line, await answer.json())
      } catch {
        // The next time, or when something is decided.
      }
      asking = false
    }
    setInterval(ask, EVERY)
    document.addEventListener("visibilitychange", ask)
  }

  function tell(line, { words, moved }) {
    const link = document.createElement("a")
    link.href = line.dataset.page + (moved ? "#change" : "")
    link.textContent = moved ? "Show what changed" : "Show"
    const kbd = Object.assign(document.createElement("kbd"), { textContent: "n" })
    kbd.setAttribute("aria-hidden", "true")
    link.append(kbd)
    link.setAttribute("aria-keyshortcuts", "n")
    line.setAttribute("role", "status")
    line.replaceChildren(`${words} `, link)
  }

  dock()
  once()
  arrived()
  changes()
  news()
})()
