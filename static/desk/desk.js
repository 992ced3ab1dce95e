/* What the staff pages do beyond links and forms. Every page works without it.
   The parts find their elements by data attributes and by <kbd>; none knows of another. */

;(() => {
  document.documentElement.classList.add("js")
  const STORE = "newsroom:kept:"
  const all = (selector, root = document) => [...root.querySelectorAll(selector)]

  /* ---- the clock in the bar, and the time left: by the server's clock, not this computer's ---- */

  function clocks() {
    const clock = document.querySelector("[data-clock]")
    if (!clock) return
    const zone = clock.dataset.clock || "UTC"
    const server = Date.parse(clock.dateTime) - performance.now()
    const show = () => {
      const now = new Date(server + performance.now())
      clock.textContent = `${time(now, zone)} ${zoneWord(now, zone)}`
      clock.dateTime = now.toISOString()
      write("[data-clock-day]", day(now, zone))
      write("[data-clock-utc]", `${time(now, "UTC")} UTC`)
      all("[data-until]").forEach((left) => countDown(left, now))
    }
    show()
    setInterval(show, 1000)
  }

  const format = (now, options) => new Intl.DateTimeFormat("en-GB", options).format(now)
  const time = (now, timeZone) => format(now, { timeZone, hour: "2-digit", minute: "2-digit", hourCycle: "h23" })
  const day = (now, timeZone) =>
    format(now, { timeZone, weekday: "long", day: "numeric", month: "long", year: "numeric" }).replace(",", "")

  function zoneWord(now, timeZone) {
    const parts = new Intl.DateTimeFormat("en-GB", { timeZone, timeZoneName: "short" }).formatToParts(now)
    return parts.find((part) => part.type === "timeZoneName").value
  }

  function write(selector, text) {
    const element = document.querySelector(selector)
    if (element && element.textContent !== text) element.textContent = text
  }

  function countDown(left, now) {
    const gap = Date.parse(left.dataset.until) - now
    const text = gap >= 0 ? inWords(gap) : `${inWords(-gap)} ago`
    if (left.textContent !== text) left.textContent = text
    left.parentElement.classList.toggle("soon", gap > 0 && gap < 7200_000)
  }

  function inWords(milliseconds) {
    const seconds = Math.floor(milliseconds / 1000)
    const [days, hours, minutes] = [Math.floor(seconds / 86400), Math.floor(seconds / 3600) % 24, Math.floor(seconds / 60) % 60]
    if (days) return `${days} d ${hours} h`
    if (hours) return `${hours} h ${minutes} min`
    return minutes ? `${minutes} min` : `${seconds} s`
  }

  /* ---- keys: whatever stands in a button's <kbd>; single letters outside fields, and only while they are on ---- */

  const KEYS = "newsroom:keys"
  const letters = () => read(KEYS) !== "off"

  function keys() {
    all("a kbd, button kbd, summary kbd").forEach((kbd) => {
      kbd.setAttribute("aria-hidden", "true")
      host(kbd).setAttribute("aria-keyshortcuts", kbd.textContent.replace(/^Ctrl /, "Control+"))
    })
    document.addEventListener("keydown", (event) => {
      if (event.defaultPrevented || event.altKey || document.querySelector("dialog[open]")) return
      const held = event.ctrlKey || event.metaKey
      if (!held && (inField(event.target) || !letters())) return
      const wanted = (held ? "Ctrl " : "") + (event.key.length === 1 && held ? event.key.toUpperCase() : event.key)
      const kbd = all("a kbd, button kbd, summary kbd").find((one) => one.textContent === wanted && shown(host(one)))
      if (!kbd || (wanted === "Enter" && event.target.closest("a, button, summary"))) return
      event.preventDefault()
      host(kbd).click()
    })
    document.querySelector("[data-keys]")?.addEventListener("click", (event) => {
      event.preventDefault()
      showKeys()
    })
  }

  const host = (kbd) => kbd.closest("a, button, summary")
  const shown = (element) => element.getClientRects().length > 0
  const inField = (element) => element.closest("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable=true]")

  function showKeys() {
    const dialog = document.querySelector("dialog.keys") ?? document.body.appendChild(makeKeys())
    const list = dialog.querySelector("dl")
    list.replaceChildren()
    all("a kbd, button kbd, summary kbd").forEach((kbd) => {
      if (dialog.contains(kbd) || !shown(host(kbd))) return
      const words = host(kbd).cloneNode(true)
      all("kbd", words).forEach((one) => one.remove())
      list.append(make("dt", {}, make("kbd", { textContent: kbd.textContent })), make("dd", { textContent: words.textContent.trim() }))
    })
    dialog.showModal()
  }

  function makeKeys() {
    const dialog = make("dialog", { className: "keys flow" })
    const box = make("input", { type: "checkbox", id: "key-letters", className: "form-check-input", checked: letters() })
    box.addEventListener("change", () => keep(KEYS, box.checked ? "on" : "off"))
    const close = make("button", { type: "button", className: "btn btn-primary", textContent: "Close" })
    close.addEventListener("click", () => dialog.close())
    dialog.setAttribute("aria-labelledby", "keys-title")
    dialog.append(
      make("h2", { id: "keys-title", textContent: "Keys on this page" }),
      make("dl", {}),
      make("div", { className: "form-check" }, box, make("label", { htmlFor: box.id, className: "form-check-label", textContent: "Single letters work outside fields" })),
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
    const fields = all("[contenteditable=true][role=textbox], input, select, textarea", box)
    return fields.find((field) => shown(field) && field.getAttribute("aria-invalid") === "true") ?? fields.find(shown)
  }

  /* ---- counts ---- */

  function counts() {
    all("[data-count]").forEach((field) => {
      const at = document.getElementById(`${field.id}_helptext`) ?? document.createElement("div")
      if (!at.isConnected) field.after(at)
      at.className = "form-text"
      const show = () => {
        const [length, most] = [[...field.value.trim()].length, Number(field.dataset.count)]
        const reads = length > most ? " · is cut on a phone" : " · reads whole on a phone"
        at.textContent = `${length} of ${most} characters${length ? reads : ""}`
      }
      field.addEventListener("input", show)
      show()
    })
    all("[data-words-of]").forEach((at) => {
      const field = document.getElementById(at.dataset.wordsOf)
      const show = () => {
        const words = (text(field.value).match(/\S*[\p{L}\p{N}]\S*/gu) ?? []).length
        const minutes = Math.max(1, Math.round(words / 220))
        at.textContent = `${words} word${words === 1 ? "" : "s"} · ${minutes} minute${minutes === 1 ? "" : "s"} to read`
      }
      field.addEventListener("input", show)
      show()
    })
  }

  /* The text of rich text, a space where a block ends; the names under quotes are not words of the story. */
  function text(html) {
    const doc = new DOMParser().parseFromString(html.replace(/<(?=\/?(p|li|h[23]|br|figure|blockquote)\b)/g, " <"), "text/html")
    all("figcaption", doc).forEach((caption) => caption.remove())
    return doc.body.textContent
  }

  /* ---- unsaved words: kept in this browser at once, and on the server soon after ---- */

  function drafts() {
    const form = document.querySelector("form[data-keep]")
    if (!form) return
    const key = STORE + form.dataset.keep
    const start = snapshot(form)
    const changed = (fields) => JSON.stringify(fields) !== JSON.stringify(start)
    let hereSoon = 0
    let thereSoon = 0
    let sent = false
    const here = () => {
      const fields = snapshot(form)
      const at = new Date()
      const kept = changed(fields) ? keep(key, JSON.stringify({ at: at.toISOString(), base: base(form), fields })) : drop(key)
      tell(kept, changed(fields), at)
    }
    const there = () => {
      const fields = snapshot(form)
      thereSoon = 0
      post(form, changed(fields) ? fields : {})
    }
    form.addEventListener("input", () => {
      clearTimeout(hereSoon)
      hereSoon = setTimeout(here, 400)
      thereSoon ||= setTimeout(there, 4000)
    })
    // Kept until a page shows that the words have arrived: the network may be down at this very moment.
    form.addEventListener("submit", () => {
      sent = true
      clearTimeout(thereSoon)
      clearTimeout(hereSoon)
      here()
    })
    window.addEventListener("pagehide", () => sent || !hereSoon || here())
    offer(form, key, start)
  }

  const base = (form) => form.elements.base?.value ?? ""

  /* The values of what people fill in, by name; each a list. Files cannot be kept. */
  function snapshot(form) {
    const fields = {}
    for (const field of form.elements) {
      if (!field.name || /^(hidden|file|submit|button)$/.test(field.type)) continue
      const list = (fields[field.name] ??= [])
      if (field.type === "checkbox" || field.type === "radio") field.checked && list.push(field.value)
      else list.push(field.value.replace(/\r\n/g, "\n"))
    }
    return fields
  }

  function tell(here, changed, at) {
    const element = document.querySelector("[data-kept-words]")
    if (!element) return
    const clock = format(at, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" })
    if (!changed) element.textContent = "Nothing unsaved"
    else element.textContent = here ? `Unsaved words are kept in this browser (${clock})` : "This browser keeps nothing: save soon"
  }

  async function post(form, fields) {
    if (!form.dataset.keepUrl) return false
    const token = form.elements.csrfmiddlewaretoken?.value ?? ""
    const body = JSON.stringify({ base: base(form), fields })
    try {
      const answer = await fetch(form.dataset.keepUrl, {
        method: "POST",
        body,
        headers: { "Content-Type": "application/json", "X-CSRFToken": token },
        redirect: "error",
        keepalive: body.length < 60_000,
      })
      return answer.ok
    } catch {
      return false // the words are in this browser; the next keystroke tries again
    }
  }

  /* Words that were kept and are not in the form: offered, never put back by themselves. */
  function offer(form, key, start) {
    const kept = [fromHere(key), fromServer(form)].filter((one) => one && !same(one.fields, start))
    if (!("fresh" in form.dataset)) return // the form came back with what was just sent
    if (!kept.length) {
      drop(key)
      const begun = STORE + form.dataset.keep.replace(/^[^:]*/, "new")
      if (same(fromHere(begun)?.fields ?? { headline: null }, start)) drop(begun) // this story was saved first just now
      return
    }
    const newest = kept.sort((one, other) => one.at.localeCompare(other.at)).at(-1)
    const at = new Date(newest.at)
    const when = `${format(at, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" })} on ${format(at, { weekday: "long", day: "numeric", month: "long" })}`
    const older = String(newest.base ?? "") !== base(form) ? " Somebody has saved since: when you save them you are shown both." : ""
    const note = make("div", { className: "note" })
    note.setAttribute("role", "status")
    const back = make("button", { type: "button", className: "btn btn-sm", textContent: "Put them back" })
    const away = make("button", { type: "button", className: "btn btn-sm btn-plain", textContent: "Drop them" })
    back.addEventListener("click", () => {
      restore(form, newest)
      note.remove()
    })
    away.addEventListener("click", () => {
      drop(key)
      post(form, {})
      note.remove()
    })
    note.append(make("p", {}, make("b", { textContent: `Words that you typed at ${when} were not saved.` }), older), make("div", { className: "bits mt-2" }, back, away))
    form.prepend(note)
  }

  function fromHere(key) {
    try {
      const kept = JSON.parse(read(key))
      return Date.now() - Date.parse(kept.at) < 30 * 86400_000 ? kept : null
    } catch {
      return null
    }
  }

  function fromServer(form) {
    const about = form.querySelector("[data-kept-at]")
    if (!about) return null
    const { keptAt, keptBase } = about.dataset
    return { at: new Date(keptAt).toISOString(), base: keptBase, fields: JSON.parse(document.getElementById("kept-fields").textContent) }
  }

  function restore(form, kept) {
    for (const field of form.elements) {
      const values = kept.fields[field.name]
      if (!values || /^(hidden|file|submit|button)$/.test(field.type)) continue
      const list = [].concat(values)
      if (field.type === "checkbox" || field.type === "radio") field.checked = list.includes(field.value)
      else field.value = list[0] ?? ""
      field.dispatchEvent(new CustomEvent("editor:load"))
      field.dispatchEvent(new Event("input", { bubbles: true }))
    }
    // On the revision that they were typed on: if that is not the newest, saving is refused and shows both.
    if (form.elements.base && kept.base) form.elements.base.value = kept.base
  }

  /* Whether the kept fields say what the form says. The server writes rich text in its own way. */
  function same(fields, current) {
    return Object.entries(fields).every(([name, values]) => {
      const [one, other] = [[].concat(values), current[name] ?? []]
      const derived = !(name in current) || name === "picture_remove" || (name === "slug" && !one.join(""))
      return derived || one.map(essence).sort().join("\n") === other.map(essence).sort().join("\n")
    })
  }

  function essence(value) {
    if (!/<\w/.test(value)) return String(value).normalize("NFC").replace(/[ \t\n]+/g, " ").trim()
    const doc = new DOMParser().parseFromString(value, "text/html")
    const tags = all("strong, em, a, h2, h3, ul, ol, li, figure, br", doc.body).map((tag) => tag.localName + (tag.getAttribute("href") ?? ""))
    return `${doc.body.textContent.normalize("NFC").replace(/[ \t\n]+/g, "")}|${tags.join(" ")}`
  }

  /* Signing out takes the person's words out of this browser, and says so before. */
  function forgetting() {
    const form = document.querySelector("form[data-forget]")
    if (!form) return
    const mine = () => storedKeys().filter((key) => key.startsWith(STORE) && key.endsWith(`:${form.dataset.forget}`))
    const count = mine().length
    const note = form.querySelector("[data-kept-count]")
    if (note && count) {
      note.hidden = false
      note.textContent = `This browser keeps unsaved words of ${count} ${count === 1 ? "story" : "stories"} for you. Signing out drops them here.`
    }
    form.addEventListener("submit", () => mine().forEach(drop))
  }

  /* ---- storage that may be switched off or full ---- */

  function keep(key, value) {
    try {
      localStorage.setItem(key, value)
      return true
    } catch {
      return false
    }
  }

  function drop(key) {
    try {
      localStorage.removeItem(key)
    } catch {
      /* nothing was kept then */
    }
    return true
  }

  function read(key) {
    try {
      return localStorage.getItem(key)
    } catch {
      return null
    }
  }

  function storedKeys() {
    try {
      return Object.keys(localStorage)
    } catch {
      return []
    }
  }

  function make(tag, properties = {}, ...children) {
    const element = Object.assign(document.createElement(tag), properties)
    element.append(...children)
    return element
  }

  clocks()
  keys()
  summaries()
  counts()
  drafts()
  forgetting()
})()
