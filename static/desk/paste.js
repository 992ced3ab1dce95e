/* What other programs put on the clipboard, made plain before the editor reads it.
   The Content-Security-Policy refuses style attributes, so what they say is read from the attribute's text. */

const BOLD = /font-weight\s*:\s*(bold|[6-9]00)/i
const NOT_BOLD = /font-weight\s*:\s*(normal|[1-5]00)/i
const ITALIC = /font-style\s*:\s*(italic|oblique)/i
const ORDERED = /^\(?(\d+|[a-z]|[ivxlc]+)[.)]/i

export function tidy(html) {
  if (html.includes("data-pm-slice")) return html // from this editor, or another one like it
  // Styles and handlers are renamed before anything parses them, so that no policy has to refuse them.
  const renamed = (tag) => tag.replace(/\s(style|on\w+)\s*=/gi, (_, name) => ` data-${name.toLowerCase()}=`)
  const source = html.replace(/<style\b[^]*?<\/style\s*>/gi, "").replace(/<[a-z][^>]*>/gi, renamed)
  const doc = new DOMParser().parseFromString(source, "text/html")
  wordLists(doc)
  doc.querySelectorAll("[data-style]").forEach(styleToTags)
  doc.querySelectorAll("h1").forEach((heading) => rename(heading, "h2"))
  doc.querySelectorAll("h4, h5, h6").forEach((heading) => rename(heading, "h3"))
  doc.querySelectorAll("style, script, title, meta, link, xml").forEach((element) => element.remove())
  return doc.body.innerHTML
}

function styleToTags(element) {
  const style = element.dataset.style
  element.removeAttribute("data-style")
  if (/^(b|strong)$/i.test(element.tagName)) {
    // Google Docs wraps all that it copies in <b style="font-weight:normal">.
    if (NOT_BOLD.test(style)) element.replaceWith(...element.childNodes)
  } else if (element.tagName === "SPAN") {
    if (BOLD.test(style)) wrapContent(element, "strong")
    if (ITALIC.test(style)) wrapContent(element, "em")
  }
}

function rename(element, tag) {
  const other = element.ownerDocument.createElement(tag)
  other.append(...element.childNodes)
  element.replaceWith(other)
}

function wrapContent(element, tag) {
  const wrapper = element.ownerDocument.createElement(tag)
  wrapper.append(...element.childNodes)
  element.append(wrapper)
}

/* Word writes a list as paragraphs that begin with a drawn bullet. */
function wordLists(doc) {
  let open = [] // the lists that the last item stands in, from outside in
  let last = null
  for (const paragraph of doc.querySelectorAll("[data-style*='mso-list']")) {
    const level = Number(/mso-list:[^;]*level(\d)/i.exec(paragraph.dataset.style)?.[1] ?? 0)
    if (!level || paragraph.closest("li")) continue
    const tag = ORDERED.test(takeMarker(paragraph)) ? "ol" : "ul"
    if (!last || nextWordBlock(last) !== paragraph) open = []
    last = addItem(doc, open, Math.min(level, 6), tag, paragraph)
  }
}

function takeMarker(paragraph) {
  const marker = paragraph.querySelector("[data-style*='mso-list:Ignore' i], [data-style*='mso-list: Ignore' i]")
  marker?.remove()
  return marker?.textContent.trim() ?? ""
}

function nextWordBlock(item) {
  let outer = item
  while (outer.parentElement && outer.parentElement.closest("ul, ol")) outer = outer.parentElement.closest("ul, ol")
  return outer.nextElementSibling
}

function addItem(doc, open, level, tag, paragraph) {
  open.length = Math.min(open.length, level)
  if (open.length === level && open.at(-1).localName !== tag) open.pop()
  while (open.length < level) {
    const list = doc.createElement(tag)
    const item = open.at(-1)?.lastElementChild
    if (item) item.append(list)
    else if (open.length) open.at(-1).appendChild(doc.createElement("li")).append(list)
    else paragraph.before(list)
    open.push(list)
  }
  const item = open.at(-1).appendChild(doc.createElement("li"))
  const words = item.appendChild(doc.createElement("p"))
  words.append(...paragraph.childNodes)
  paragraph.remove()
  return item
}
