/* What the staff pages do beyond links and forms. Every page works without it.
   The parts find their elements by data attributes and by <kbd>; none knows of another. */

;(() => {
  document.documentElement.classList.add("js")
  const all = (selector, root = document) => [...root.querySelectorAll(selector)]

  /* ---- the clock in the bar, and the time left: by the server's clock, not this computer's ---- */

  function clocks() {
    const clock = document.querySelector("[data-clock]")
    if (!clock) return
    const zone = clock.dataset.clock || "UTC"
    const server = Date.parse(clock.dateTime) - performance.now()
    const show = () => {
      const now = new Date(server + performance.now())
      write(clock, `${time(now, zone)} ${zoneWord(now, zone)}`)
      clock.dateTime = now.toISOString()
      write(document.querySelector("[data-clock-day]"), day(now, zone))
      write(document.querySelector("[data-clock-utc]"), `${time(now, "UTC")} UTC`)
      all("[data-until]").forEach((left) => countDown(left, now))
      all("[data-due]").forEach((left) => countToDeadline(left, now))
    }
    show()
    setInterval(show, 1000)
  }

  const format = (now, options) => new Intl.DateTimeFormat("en-GB", options).format(now)

  function time(now, timeZone) {
    return format(now, { timeZone, hour: "2-digit", minute: "2-digit", hourCycle: "h23" })
  }

  function day(now, timeZone) {
    const words = format(now, { timeZone, weekday: "long", day: "numeric", month: "long", year: "numeric" })
    return words.replace(",", "")
  }

  function zoneWord(now, timeZone) {
    const parts = new Intl.DateTimeFormat("en-GB", { timeZone, timeZoneName: "short" }).formatToParts(now)
    return parts.find((part) => part.type === "timeZoneName").value
  }

  function write(element, text) {
    if (element && element.textContent !== text) element.textContent = text
  }

  function countDown(left, now) {
    const gap = Date.parse(left.dataset.until) - now
    write(left, gap >= 0 ? inWords(gap) : `${inWords(-gap)} ago`)
    left.parentElement.classList.toggle("soon", gap > 0 && gap < 7200_000)
  }

  function countToDeadline(left, now) {
    const gap = Date.parse(left.dataset.due) - now
    // Whole minutes, as the server says them.
    const words = Math.abs(gap) < 60_000 ? "0 min" : inWords(Math.abs(gap))
    write(left, gap > 0 ? words : `${words} late`)
    left.classList.toggle("soon", gap > 0 && gap < 7200_000)
    left.classList.toggle("over", gap <= 0)
  }

  function inWords(milliseconds) {
    const seconds = Math.floor(milliseconds / 1000)
    const days = Math.floor(seconds / 86400)
    const hours = Math.floor(seconds / 3600) % 24
    const minutes = Math.floor(seconds / 60) % 60
    if (days) return `${days} d ${hours} h`
    if (hours) return `${hours} h ${minutes} min`
    return minutes ? `${minutes} min` : `${seconds} s`
  }

  /* ---- keys: whatever stands in a button's <kbd>. Single letters outside fields, and while they are on ---- */

  const SETTING = "newsroom:keys"
  const KBD = "a kbd, button kbd, summary kbd"

  function keys() {
    tellKeys()
    document.addEventListener("keys:changed", tellKeys)
    document.addEventListener("keydown", (event) => {
      const kbd = meant(event)
      if (!kbd) return
      event.preventDefault()
      const pressed = host(kbd)
      for (let box = closedAround(pressed); box; box = closedAround(pressed)) box.open = true
      // What signs is pressed twice: the first time it gets the focus.
      if ("twice" in pressed.dataset && document.activeElement !== pressed) pressed.focus({ focusVisible: true, preventScroll: true })
      else pressed.click()
    })
    document.querySelector("[data-keys]")?.addEventListener("click", (event) => {
      event.preventDefault()
      showKeys()
    })
  }

  function tellKeys() {
    all(KBD).forEach((kbd) => {
      kbd.setAttribute("aria-hidden", "true")
      host(kbd).setAttribute("aria-keyshortcuts", kbd.textContent.replace(/^Ctrl /, "Control+"))
    })
  }

  const host = (kbd) => kbd.closest("a, button, summary")
  const shown = (element) => element.getClientRects().length > 0
  /* The closed <details> that hides an element, the innermost first. */
  function closedAround(element) {
    const inside = element.matches("summary") ? element.parentElement.parentElement : element
    return inside.closest("details:not([open])")
  }

  /* Whether it is to be seen, or would be if the <details> around it were open. */
  function inReach(element) {
    const box = closedAround(element)
    return box ? inReach(box.querySelector("summary")) : shown(element)
  }

  const inField = (element) =>
    element.closest("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable=true]")

  /* The <kbd> that somebody has pressed, if any. */
  function meant(event) {
    if (event.defaultPrevented || event.altKey || document.querySelector("dialog[open]")) return null
    const held = event.ctrlKey || event.metaKey
    if (!held && (inField(event.target) || !lettersOn())) return null
    if (!held && event.key === "Enter" && event.target.closest("a, button, summary")) return null
    const wanted = held ? `Ctrl ${event.key.length === 1 ? event.key.toUpperCase() : event.key}` : event.key
    return all(KBD).find((kbd) => kbd.textContent === wanted && inReach(host(kbd)))
  }

  function lettersOn(set) {
    try {
      if (set !== undefined) localStorage.setItem(SETTING, set ? "on" : "off")
      return localStorage.getItem(SETTING) !== "off"
    } catch {
      return true // a browser that stores nothing cannot remember that they are off
    }
  }

  function showKeys() {
    const dialog = document.querySelector("dialog.keys") ?? document.body.appendChild(makeKeys())
    const list = dialog.querySelector("dl")
    list.replaceChildren()
    for (const kbd of all(KBD).filter((kbd) => inReach(host(kbd)))) {
      const words = host(kbd).cloneNode(true)
      all("kbd", words).forEach((one) => one.remove())
      const key = make("dt", {}, make("kbd", { textContent: kbd.textContent }))
      list.append(key, make("dd", { textContent: words.textContent.trim() }))
    }
    dialog.showModal()
  }

  function makeKeys() {
    const dialog = make("dialog", { className: "keys flow" })
    dialog.setAttribute("aria-labelledby", "keys-title")
    const box = make("input", { type: "checkbox", id: "key-letters", className: "form-check-input" })
    box.checked = lettersOn()
    box.addEventListener("change", () => lettersOn(box.checked))
    const words = "Single letters work outside fields"
    const label = make("label", { htmlFor: box.id, className: "form-check-label", textContent: words })
    const close = make("button", { type: "button", className: "btn btn-primary", textContent: "Close" })
    close.addEventListener("click", () => dialog.close())
    dialog.append(
      make("h2", { id: "keys-title", textContent: "Keys on this page" }),
      make("dl"),
      make("div", { className: "form-check" }, box, label),
      close,
    )
    return dialog
  }

  /* ---- the error summary: seen first, and each of its links puts the cursor into the field ---- */

  function summaries() {
    document.querySelector("[data-summary]")?.focus()
    document.addEventListener("click", (event) => {
      const link = event.target.closest(".summary a[href^='#']")
      const box = link && document.getElementById(link.hash.slice(1))
      const field = box && (box.matches("input, select, textarea") ? box : firstField(box))
      if (!field) return
      event.preventDefault()
      box.scrollIntoView({ block: "nearest" })
      field.focus()
    })
  }

  function firstField(box) {
    const fields = all("[contenteditable=true][role=textbox], input, select, textarea", box).filter(shown)
    return fields.find((field) => field.getAttribute("aria-invalid") === "true") ?? fields[0]
  }

  /* ---- counts ---- */

  function counts() {
    all("[data-count]").forEach((field) => {
      const at = document.getElementById(`${field.id}_helptext`) ?? document.createElement("div")
      if (!at.isConnected) field.after(at)
      at.className = "form-text"
      const most = Number(field.dataset.count)
      follow(field, () => {
        const length = [...field.value.trim()].length
        const reads = length > most ? " · is cut on a phone" : " · reads whole on a phone"
        at.textContent = `${length} of ${most} characters${length ? reads : ""}`
      })
    })
    all("[data-words-of]").forEach((at) => {
      const field = document.getElementById(at.dataset.wordsOf)
      follow(field, () => {
        const words = (text(field.value).match(/\S*[\p{L}\p{N}]\S*/gu) ?? []).length
        const minutes = Math.max(1, Math.round(words / 220))
        at.textContent = `${some(words, "word")} · ${some(minutes, "minute")} to read`
      })
    })
  }

  function follow(field, show) {
    field.addEventListener("input", show)
    show()
  }

  const some = (number, noun) => `${number} ${noun}${number === 1 ? "" : "s"}`

  /* The text of rich text, with a space between blocks; the names under quotes are not the story's words. */
  function text(html) {
    const apart = html.replace(/<(?=\/?(p|li|h[23]|br|figure|blockquote)\b)/g, " <")
    const doc = new DOMParser().parseFromString(apart, "text/html")
    all("figcaption", doc).forEach((caption) => caption.remove())
    return doc.body.textContent
  }

  function make(tag, properties = {}, ...children) {
    const element = Object.assign(document.createElement(tag), properties)
    element.append(...children)
    return element
  }

  /* ---- a list by keyboard: j and k move through its rows, and Enter opens the row with the focus ---- */

  function rows() {
    const links = all("[data-rows] li a.pub")
    if (!links.length) return
    document.addEventListener("keydown", (event) => {
      const step = { j: 1, k: -1 }[event.key]
      const held = event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented
      if (!step || held || inField(event.target) || !lettersOn() || document.querySelector("dialog[open]")) return
      event.preventDefault()
      const here = links.findIndex((link) => link.closest("li").contains(document.activeElement))
      const next = here < 0 ? 0 : Math.min(Math.max(here + step, 0), links.length - 1)
      links[next].focus()
      links[next].closest("li").scrollIntoView({ block: "nearest" })
    })
  }

  clocks()
  keys()
  rows()
  summaries()
  counts()
})()
