/* Words that are typed and not yet saved: kept in this browser at once, on the server soon after, and offered
   when the form is opened again. Never put back by themselves, and gone from this browser on signing out. */

;(() => {
  const STORE = "newsroom:kept:"
  const MAX_AGE = 30 * 86400_000
  const SOON = 400 // milliseconds after the last keystroke, to this browser
  const LATER = 4000 // and at most so often to the server
  const all = (selector, root = document) => [...root.querySelectorAll(selector)]

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
      const kept = JSON.stringify({ at: at.toISOString(), base: base(form), fields })
      tell(changed(fields), changed(fields) ? keep(key, kept) : drop(key), at)
    }
    const there = () => {
      thereSoon = 0
      const fields = snapshot(form)
      post(form, changed(fields) ? fields : {})
    }
    form.addEventListener("input", () => {
      clearTimeout(hereSoon)
      hereSoon = setTimeout(here, SOON)
      thereSoon ||= setTimeout(there, LATER)
    })
    // They stay until a page shows that they have arrived: the network may be down at this very moment.
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
  const isTyped = (field) =>
    field.name && (isRow(field) || !/^(hidden|file|submit|button)$/.test(field.type))
  /* A document that is in the form already, by the name of its file. */
  const isRow = (field) => field.name === "attachment"
  const isTicked = (field) => field.type === "checkbox" || field.type === "radio"

  /* The values of what people fill in, by name, each a list. Files cannot be kept. */
  function snapshot(form) {
    const fields = {}
    for (const field of [...form.elements].filter(isTyped)) {
      const list = (fields[field.name] ??= [])
      if (!isTicked(field) || field.checked) list.push(field.value.replace(/\r\n/g, "\n"))
    }
    return fields
  }

  function tell(changed, kept, at) {
    const element = document.querySelector("[data-kept-words]")
    if (!element) return
    if (!changed) element.textContent = "Nothing unsaved"
    else if (kept) element.textContent = `Unsaved words are kept in this browser (${clock(at)})`
    else element.textContent = "This browser keeps nothing: save soon"
  }

  const format = (at, options) => new Intl.DateTimeFormat("en-GB", options).format(at)
  const clock = (at) => format(at, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" })
  const day = (at) => format(at, { weekday: "long", day: "numeric", month: "long" })

  async function post(form, fields) {
    if (!form.dataset.keepUrl) return
    const body = JSON.stringify({ base: base(form), fields })
    const headers = { "Content-Type": "application/json", "X-CSRFToken": form.elements.csrfmiddlewaretoken?.value ?? "" }
    try {
      await fetch(form.dataset.keepUrl, { method: "POST", body, headers, redirect: "error" })
    } catch {
      // Nothing to say: the words are in this browser, and the next keystroke tries again.
    }
  }

  /* ---- what was kept ---- */

  function offer(form, key, start) {
    if (!("fresh" in form.dataset)) return // the form came back with what was just sent
    const kept = [fromHere(key), fromServer(form)].filter((one) => one && !same(one.fields, start))
    if (kept.length) {
      form.prepend(makeOffer(form, key, kept.sort((one, other) => one.at.localeCompare(other.at)).at(-1)))
      return
    }
    drop(key)
    // A story that was begun in this browser and saved for the first time just now.
    const begun = STORE + form.dataset.keep.replace(/^[^:]*/, "new")
    const words = fromHere(begun)
    if (words && same(words.fields, start)) drop(begun)
  }

  function fromHere(key) {
    try {
      const kept = JSON.parse(localStorage.getItem(key))
      return Date.now() - Date.parse(kept.at) < MAX_AGE ? kept : null
    } catch {
      return null
    }
  }

  function fromServer(form) {
    const about = form.querySelector("[data-kept-at]")
    if (!about) return null
    const fields = JSON.parse(document.getElementById("kept-fields").textContent)
    return { at: new Date(about.dataset.keptAt).toISOString(), base: about.dataset.keptBase, fields }
  }

  function makeOffer(form, key, kept) {
    const at = new Date(kept.at)
    const note = make("div", { className: "note" })
    note.setAttribute("role", "status")
    const back = makeButton("Put them back", "", () => restore(form, kept))
    const away = makeButton("Drop them", " btn-plain", () => {
      drop(key)
      post(form, {})
    })
    for (const button of [back, away]) button.addEventListener("click", () => note.remove())
    const words = make("b", { textContent: `Words that you typed at ${clock(at)} on ${day(at)} were not saved.` })
    const older = String(kept.base ?? "") !== base(form)
    const since = older ? " Somebody has saved since: when you save yours, you are shown both." : ""
    note.append(make("p", {}, words, since), make("div", { className: "bits mt-2" }, back, away))
    return note
  }

  function restore(form, kept) {
    bringBack(form, [kept.fields.attachment ?? []].flat())
    for (const field of [...form.elements].filter(isTyped)) {
      if (!(field.name in kept.fields) || isRow(field)) continue
      const values = [kept.fields[field.name]].flat()
      if (isTicked(field)) field.checked = values.includes(field.value)
      else field.value = values[0] ?? ""
      field.dispatchEvent(new CustomEvent("editor:load"))
      field.dispatchEvent(new Event("input", { bubbles: true }))
    }
    // On the revision that they were typed on: if that is not the newest, saving is refused and shows both.
    if (form.elements.base && kept.base) form.elements.base.value = kept.base
  }

  /* Documents that were uploaded into the form that was lost: the server has them still. */
  function bringBack(form, names) {
    const list = form.querySelector("[data-attachments] ol")
    const there = new Set(all("input[name=attachment]", form).map((field) => field.value))
    for (const name of names.filter((name) => list && !there.has(name))) {
      const [, digest, kind] = /^([0-9a-f]{64})\.([a-z]{3,4})$/.exec(name) ?? []
      if (!digest) continue
      const words = { DIGEST: digest, NAME: name, KIND: kind.toUpperCase() }
      const row = form.querySelector("[data-attachments] template").innerHTML
      list.insertAdjacentHTML("beforeend", row.replace(/DIGEST|NAME|KIND/g, (word) => words[word]))
    }
  }

  /* Whether the kept fields say what the form says. The server writes rich text in its own way. */
  function same(fields, current) {
    return Object.entries(fields).every(([name, values]) => {
      const mine = [values].flat()
      if (name === "attachment") return mine.every((one) => hasRow(fields, one) === hasRow(current, one))
      if (!(name in current) || name.includes("_remove")) return true
      if (name === "slug" && !mine.join("")) return true // it was made from the headline
      const [one, other] = [mine, current[name]].map((list) => list.map(essence).sort().join("\n"))
      return one === other
    })
  }

  /* Whether fields hold a document that is not to be taken out. */
  function hasRow(fields, name) {
    const taken = fields[`attachment_remove_${name.split(".")[0]}`]
    return (fields.attachment ?? []).includes(name) && !taken?.length
  }

  function essence(value) {
    const text = String(value).normalize("NFC")
    if (!/<\w/.test(text)) return text.replace(/[ \t\n]+/g, " ").trim()
    const { body } = new DOMParser().parseFromString(text, "text/html")
    const tags = all("strong, em, a, h2, h3, ul, ol, li, figure, br", body)
    const marks = tags.map((tag) => tag.localName + (tag.getAttribute("href") ?? "")).join(" ")
    return `${body.textContent.replace(/[ \t\n]+/g, "")}|${marks}`
  }

  /* ---- signing out ---- */

  function forgetting() {
    const form = document.querySelector("form[data-forget]")
    if (!form) return
    const isMine = (key) => key.startsWith(STORE) && key.endsWith(`:${form.dataset.forget}`)
    const count = storedKeys().filter(isMine).length
    const note = form.querySelector("[data-kept-count]")
    if (note && count) {
      note.hidden = false
      const of = count === 1 ? "one story" : `${count} stories`
      note.textContent = `This browser keeps words of ${of} that you have not saved. Signing out drops them here.`
    }
    form.addEventListener("submit", () => storedKeys().filter(isMine).forEach(drop))
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
      // Nothing was kept then.
    }
  }

  function storedKeys() {
    try {
      return Object.keys(localStorage)
    } catch {
      return []
    }
  }

  function makeButton(words, kind, press) {
    const button = make("button", { type: "button", className: `btn btn-sm${kind}`, textContent: words })
    button.addEventListener("click", press)
    return button
  }

  function make(tag, properties = {}, ...children) {
    const element = Object.assign(document.createElement(tag), properties)
    element.append(...children)
    return element
  }

  drafts()
  forgetting()
})()
