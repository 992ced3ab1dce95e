/* Comments and suggested wordings beside the words that they are about. Without this the panel works by itself:
   words are then pasted instead of marked, and each thing that is sent loads the page anew. */

;(() => {
  const panel = document.querySelector("[data-remarks]")
  const proof = document.querySelector(".proof > .newsroom")
  if (!panel) return
  const all = (selector, root = document) => [...root.querySelectorAll(selector)]
  const CONTEXT = 40
  const BLOCKS = new Set(["P", "H1", "H2", "H3", "LI", "UL", "OL", "BR"])

  /* ---- the texts of the proof: what each part and each block of the body says, and in which nodes ---- */

  function texts() {
    if (!proof) return []
    const one = (part, selector) => all(selector, proof).map((root) => ({ part, block: "", root }))
    const body = all(":is(.running, .running > .mine) > :is(p, h2, h3, ul, ol):not(.end-mark, .whose, .unseen), .running figure.said blockquote", proof)
    return [
      ...one("headline", ".heading h1"),
      ...one("summary", ".standfirst"),
      ...one("caption", ".picture figcaption"),
      ...body.map((root, block) => ({ part: "body", block: String(block), root })),
      ...one("notes", ".notes"),
      ...one("contacts", ".contacts"),
    ]
  }

  /* The text below `root` as it is stored, with the nodes that it stands in; our own numbers are not in it. */
  function read(root) {
    const nodes = []
    let text = ""
    const walk = (node) => {
      if (node.nodeType === Node.TEXT_NODE) {
        nodes.push({ node, at: text.length })
        text += node.data
      } else if (node.nodeType === Node.ELEMENT_NODE && !node.matches(".num, .heard")) {
        if (BLOCKS.has(node.tagName) && text) text += "\n"
        node.childNodes.forEach(walk)
      }
    }
    root.childNodes.forEach(walk)
    return { text, nodes }
  }

  /* The text with single spaces, and for each of its letters where it stood. */
  function flat(text) {
    let words = ""
    const from = []
    for (let at = 0; at < text.length; at += 1) {
      const letter = /\s/.test(text[at]) ? " " : text[at]
      if (letter === " " && words.endsWith(" ")) continue
      words += letter
      from.push(at)
    }
    return { words, from }
  }

  const single = (text) => text.replace(/\s+/g, " ")

  function agreeing(one, other) {
    let number = 0
    while (number < one.length && one[number] === other[number]) number += 1
    return number
  }

  const backwards = (text) => [...text].reverse().join("")

  /* From where to where the words of a remark stand in the text of `root`, by what stands around them. */
  function find(root, { exact, prefix, suffix }) {
    const { text, nodes } = read(root)
    const { words, from } = flat(text)
    const wanted = single(exact)
    let best = null
    for (let at = words.indexOf(wanted); at >= 0; at = words.indexOf(wanted, at + 1)) {
      const end = at + wanted.length
      const before = agreeing(backwards(single(prefix)), backwards(words.slice(0, at)))
      const score = before + agreeing(single(suffix), words.slice(end))
      if (!best || score > best.score) best = { score, start: from[at], end: from[end - 1] + 1, nodes }
    }
    return best
  }

  /* ---- marks: the words underlined, a number behind them, and both ways a link ---- */

  const items = () => all("[data-remark][data-exact]", panel)

  function mark() {
    if (!proof) {
      items().forEach(leadToField)
      return
    }
    all(".num", proof).forEach((one) => one.remove())
    all("mark.anchor", proof).forEach((one) => one.replaceWith(...one.childNodes))
    proof.normalize()
    for (const item of items()) {
      const place = texts()
        .filter(({ part, block }) => part === item.dataset.part && block === item.dataset.block)
        .map(({ root }) => find(root, item.dataset))
        .find(Boolean)
      if (place) markAt(place, item)
    }
  }

  function markAt({ start, end, nodes }, item) {
    const { remark, number } = item.dataset
    const suggests = remark.startsWith("s")
    let last = null
    for (const { node, at } of nodes) {
      const from = Math.max(start - at, 0)
      const to = Math.min(end - at, node.length)
      if (from >= to) continue
      const words = from ? node.splitText(from) : node
      if (to - from < words.length) words.splitText(to - from)
      last = make("mark", { className: suggests ? "anchor wants" : "anchor" })
      words.replaceWith(last)
      last.append(words)
      last.dataset.of = remark
    }
    if (!last) return
    const link = make("a", { className: "num", href: `#remark-${remark}`, id: `mark-${remark}`, textContent: number })
    link.setAttribute("aria-label", `${suggests ? "Suggested wording" : "Comment"} ${number}`)
    last.after(link)
    const back = make("a", { className: "num", href: `#mark-${remark}`, textContent: number })
    back.setAttribute("aria-label", `${number}, to its words in the story`)
    item.querySelector("[data-back], .num[href]")?.replaceWith(back)
    for (const type of ["pointerenter", "focusin"]) item.addEventListener(type, () => light(remark, true))
    for (const type of ["pointerleave", "focusout"]) item.addEventListener(type, () => light(remark, false))
  }

  /* Where there is no proof but the form: a number leads to the words in their field. */
  const FIELDS = { alt: "picture_alt", caption: "picture_caption" }

  function leadToField(item) {
    const id = `id_${FIELDS[item.dataset.part] ?? item.dataset.part}`
    const link = make("a", { className: "num", href: `#div_${id}`, textContent: item.dataset.number })
    link.setAttribute("aria-label", `${item.dataset.number}, to its words in the draft`)
    link.addEventListener("click", (event) => {
      event.preventDefault()
      const box = document.getElementById(`div_${id}`)
      const writing = box.querySelector(".prose")
      const place = writing && find(writing, item.dataset)
      if (place) showIn(place)
      else if (writing) box.scrollIntoView()
      else selectIn(document.getElementById(id), item.dataset.exact)
    })
    item.querySelector("[data-back]")?.replaceWith(link)
  }

  function showIn({ start, end, nodes }) {
    const first = nodes.findLast(({ at }) => at <= start)
    const last = nodes.findLast(({ at }) => at < end)
    const range = document.createRange()
    range.setStart(first.node, start - first.at)
    range.setEnd(last.node, end - last.at)
    show(range)
    first.node.parentElement.scrollIntoView({ block: "center" })
  }

  function selectIn(field, words) {
    const at = field.value.indexOf(words)
    field.scrollIntoView({ block: "center" })
    field.focus({ preventScroll: true })
    if (at >= 0) field.setSelectionRange(at, at + words.length)
  }

  function light(remark, on) {
    all(`mark[data-of="${remark}"]`, proof).forEach((one) => one.classList.toggle("lit", on))
  }

  /* ---- marking words: what is selected in the proof, as the forms want it ---- */

  let marked = null

  function selected() {
    const selection = document.getSelection()
    if (!proof || !selection.rangeCount || selection.isCollapsed) return null
    const range = selection.getRangeAt(0)
    for (const { part, block, root } of texts()) {
      if (!range.intersectsNode(root)) continue
      const { text, nodes } = read(root)
      const inside = nodes.map(({ node, at }) => cut(range, node, at)).filter(Boolean)
      if (!inside.length) continue
      let start = inside[0].start
      let end = inside.at(-1).end
      start += text.slice(start, end).search(/\S|$/)
      end = start + text.slice(start, end).trimEnd().length
      if (start >= end) continue
      const before = single(text.slice(Math.max(0, start - CONTEXT), start))
      const after = single(text.slice(end, end + CONTEXT))
      return { part, block, words: text.slice(start, end), before, after, range: range.cloneRange() }
    }
    return null
  }

  function cut(range, node, at) {
    if (!range.intersectsNode(node)) return null
    const start = node === range.startContainer ? range.startOffset : 0
    const end = node === range.endContainer ? range.endOffset : node.length
    return start < end ? { start: at + start, end: at + end } : null
  }

  /* The bar beside marked words, for who has no keys: at the foot of a phone. */
  const bar = make("div", { className: "marking", hidden: true })
  bar.setAttribute("role", "group")
  bar.setAttribute("aria-label", "The marked words")
  for (const [kind, words] of [["comment", "Comment"], ["suggestion", "Suggest a wording"]]) {
    const button = make("button", { type: "button", className: "btn btn-sm", textContent: words })
    // Or pressing it would take the marks away.
    button.addEventListener("pointerdown", (event) => event.preventDefault())
    button.addEventListener("click", () => open(kind))
    bar.append(button)
  }

  function showBar() {
    const now = selected()
    if (now) marked = now
    else if (!bar.contains(document.activeElement)) marked = null
    bar.hidden = !now
    if (!now) return
    const box = now.range.getBoundingClientRect()
    const room = document.documentElement.clientWidth - bar.offsetWidth - 8
    bar.style.left = `${Math.max(8, Math.min(box.left, room)) + scrollX}px`
    bar.style.top = `${box.bottom + scrollY + 8}px`
  }

  /* ---- the two forms ---- */

  const adding = (kind) => panel.querySelector(`[data-add=${kind}]`)

  /* Opens a form: near the eyes with the words that are marked, else in its place in the panel. */
  function open(kind) {
    const words = marked
    for (const one of all("[data-add]", panel)) one.open = one === adding(kind)
    const add = adding(kind)
    const { elements } = add.querySelector("form")
    if (words) {
      elements.part.value = words.part
      elements.block.value = words.block
      elements.before.value = words.before
      elements.after.value = words.after
      // Half a wording for the same words is somebody's work.
      const other = elements.words.value !== words.words
      elements.words.value = words.words
      if (other && elements.replacement) elements.replacement.value = single(words.words)
      show(words.range)
    }
    near(add, Boolean(words))
    bar.hidden = true
    const first = words ? (elements.replacement ?? elements.text) : elements.words
    first.focus({ preventScroll: Boolean(words) })
    if (words) first.select()
  }

  function near(add, on) {
    const quoted = add.querySelector("[data-marked]")
    add.classList.toggle("near", on)
    quoted.hidden = !on
    quoted.textContent = add.querySelector("[name=words]").value
  }

  /* Where words were that were marked: typed words may be others. */
  function forget({ elements }) {
    for (const name of ["block", "before", "after"]) elements[name].value = ""
  }

  function close(add) {
    add.open = false
    near(add, false)
    show(null)
    add.querySelector("summary").focus({ preventScroll: true })
  }

  /* Keeps the words visible while the cursor is in the form. */
  function show(range) {
    if (!("highlights" in CSS)) return
    if (range) CSS.highlights.set("marking", new Highlight(range))
    else CSS.highlights.delete("marking")
  }

  function forms() {
    for (const add of all("[data-add]", panel)) {
      const { elements } = add.querySelector("form")
      add.querySelector("summary").addEventListener("click", (event) => {
        event.preventDefault()
        marked = selected()
        if (add.open && !marked) close(add)
        else open(add.dataset.add)
      })
      for (const field of [elements.words, elements.part]) {
        field.addEventListener("input", () => forget(elements.words.form))
      }
      add.querySelector("[data-close]").addEventListener("click", () => close(add))
      add.addEventListener("keydown", (event) => {
        if (event.key === "Escape") close(add)
      })
    }
  }

  /* ---- sending without leaving the page, for what does not change the story ---- */

  async function send(event) {
    const form = event.target.closest("form[data-in-place]")
    if (!form || event.defaultPrevented) return
    event.preventDefault()
    if (form.dataset.busy) return
    form.dataset.busy = "1"
    try {
      const answer = await fetch(form.action, { method: "POST", body: new FormData(form) })
      const page = new DOMParser().parseFromString(await answer.text(), "text/html")
      const fresh = page.querySelector("[data-remarks]")
      const refused = page.querySelector("[data-summary]")
      if (answer.ok && fresh) sent(form, fresh, page)
      else if (refused) refuse(form, refused)
      else form.submit() // it leads elsewhere: let the browser go there
    } catch {
      tell("Nothing was sent: the newsroom does not answer. What you typed is still here; try again.", true)
    }
    delete form.dataset.busy
  }

  function sent(form, fresh, page) {
    const error = page.querySelector(".msgs .error")
    const typed = all("textarea", panel).filter((field) => field.value && !form.contains(field))
    const add = form.closest("[data-add]")
    if (add) {
      form.reset()
      forget(form)
      close(add)
    }
    for (const live of all("[data-live]", panel)) {
      live.replaceWith(fresh.querySelector(`[data-live=${live.dataset.live}]`))
    }
    for (const { id, value } of typed) {
      const field = document.getElementById(id)
      if (!field || field.value) continue
      field.value = value
      field.closest("details").open = true
    }
    mark()
    const words = all(".msgs li", page).map((message) => message.textContent)
    const newer = fresh.dataset.remarks !== panel.dataset.remarks
    if (newer) words.push("The story has been saved anew meanwhile: load the page again to read it as it is.")
    tell(words.join(" "), Boolean(error))
  }

  function refuse(form, summary) {
    const reasons = all("h2, li", summary).map((one) => one.textContent.trim()).filter(Boolean)
    const at = form.querySelector("[data-refused]")
    const words = reasons.at(-1)
    if (at) at.textContent = words
    else tell(words, true)
    // A fault in the words themselves is mended in their fields.
    if (summary.querySelector("a[href*=words], a[href*=part]")) near(form.closest("[data-add]"), false)
  }

  function tell(words, refused) {
    const told = panel.querySelector("[data-told]")
    // A page that was just loaded has its own status; and what is announced has to come after the role.
    told.setAttribute("role", "status")
    told.classList.toggle("no", refused)
    setTimeout(() => (told.textContent = words), 50)
  }

  function make(tag, properties = {}, ...children) {
    const element = Object.assign(document.createElement(tag), properties)
    element.append(...children)
    return element
  }

  mark()
  forms()
  panel.addEventListener("submit", send)
  if (proof) {
    document.querySelector("main").append(bar)
    document.addEventListener("selectionchange", showBar)
  }
})()
