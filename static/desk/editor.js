/* Turns each textarea[data-editor] into an editor. The textarea stays the field: it is hidden, holds the
   HTML and is what the form sends. Where anything here fails, it stays visible and works by itself. */

for (const textarea of document.querySelectorAll("textarea[data-editor]")) {
  start(textarea).catch((error) => console.error("The editor did not start; the plain field works.", error))
}

async function start(textarea) {
  const urls = JSON.parse(textarea.dataset.editorModules)
  const [tiptap, { makeQuote, toggleQuote }, { makeToolbar }, { tidy }] = await Promise.all(
    [urls.tiptap, urls.quote, urls.toolbar, urls.paste].map((url) => import(url)),
  )
  const shell = document.createElement("div")
  shell.className = "write"
  const editor = new tiptap.Editor({
    element: shell,
    content: textarea.value,
    injectCSS: false, // staff.css has it: an inline style is refused by the Content-Security-Policy
    enableInputRules: ["bulletList"], // no **bold** or _italic_ while typing: characters would vanish
    enablePasteRules: false,
    extensions: extensions(tiptap, makeQuote, textarea, () => tools.editLink()),
    editorProps: { attributes: attributes(textarea), transformPastedHTML: tidy },
  })
  const tools = makeToolbar(editor, textarea.dataset.editor, nameOf(textarea), toggleQuote)
  shell.prepend(tools.element)
  textarea.before(shell)
  textarea.hidden = true
  mirror(editor, textarea)
  labelFocuses(editor, textarea)
  showHelp(textarea)
  textarea.dispatchEvent(new CustomEvent("editor:ready", { bubbles: true, detail: { editor } }))
}

function extensions(tiptap, makeQuote, textarea, editLink) {
  const item = tiptap.ListItem.extend({
    content: "paragraph (paragraph | bulletList | orderedList)*",
    // Not Tab: it always moves on to the next control.
    addKeyboardShortcuts() {
      return {
        Enter: () => this.editor.commands.splitListItem(this.name),
        "Mod-]": () => this.editor.commands.sinkListItem(this.name),
        "Mod-[": () => this.editor.commands.liftListItem(this.name),
      }
    },
  })
  const link = tiptap.Link.extend({
    addKeyboardShortcuts: () => ({
      "Mod-k": () => {
        editLink()
        return true
      },
    }),
  }).configure({ openOnClick: false, autolink: false, enableTarget: false, protocols: ["http", "https", "mailto"] })
  const common = [
    tiptap.Document, tiptap.Paragraph, tiptap.Text, tiptap.HardBreak, tiptap.Bold, tiptap.Italic, link,
    tiptap.BulletList, tiptap.OrderedList.configure({ enableListAttributes: false }), item,
    tiptap.History, tiptap.Dropcursor, tiptap.Gapcursor,
  ]
  if (textarea.dataset.editor === "notes") return common
  return [...common, tiptap.Heading.configure({ levels: [2, 3] }), tiptap.TrailingNode, makeQuote(tiptap, textarea.id)]
}

/* Whatever names and describes the textarea names and describes the editor. */
function attributes(textarea) {
  const found = { class: "prose", role: "textbox", "aria-multiline": "true", spellcheck: "true" }
  const label = labelOf(textarea)
  if (label) {
    label.id ||= `${textarea.id}_label`
    found["aria-labelledby"] = label.id
  }
  for (const name of ["aria-describedby", "aria-invalid"]) {
    if (textarea.hasAttribute(name)) found[name] = textarea.getAttribute(name)
  }
  return found
}

function labelOf(textarea) {
  return document.querySelector(`label[for="${CSS.escape(textarea.id)}"]`)
}

function nameOf(textarea) {
  return labelOf(textarea)?.firstChild?.textContent.trim() || "Text"
}

/* The textarea is written to when somebody changes something, and then alone: opening changes no byte. */
function mirror(editor, textarea) {
  const html = () => editor.getHTML().replace(/(<p><\/p>)+$/, "")
  const [untouched, original] = [html(), textarea.value]
  let last = untouched
  editor.on("update", () => {
    const now = html()
    if (now === last) return
    last = now
    textarea.value = now === untouched ? original : now
    textarea.dispatchEvent(new Event("input", { bubbles: true }))
  })
  // Somebody else wrote to the field: words that this browser had kept were put back.
  textarea.addEventListener("editor:load", () => {
    editor.commands.setContent(textarea.value, { emitUpdate: false })
    last = html()
  })
}

function labelFocuses(editor, textarea) {
  labelOf(textarea)?.addEventListener("click", (event) => {
    event.preventDefault()
    editor.view.focus()
  })
}

function showHelp(textarea) {
  const help = document.getElementById(`${textarea.id}_helptext`)
  help?.querySelectorAll("[data-with-editor]").forEach((part) => (part.hidden = false))
  help?.querySelectorAll("[data-without-editor]").forEach((part) => part.remove())
}
