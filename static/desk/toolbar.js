/* The tools of the editor: a toolbar as WAI-ARIA describes it (one stop for Tab, arrows inside), and the
   row in which a link is made. */

const MOD = /Mac|iPhone|iPad/.test(navigator.platform) ? "⌘" : "Ctrl"

const TOOLS = [
  { name: "heading", text: "Heading", keys: [MOD, "Alt", "2"], active: ["heading", { level: 2 }], body: true },
  { name: "subheading", text: "Subheading", keys: [MOD, "Alt", "3"], active: ["heading", { level: 3 }], body: true },
  { name: "bold", text: "B", label: "Bold", keys: [MOD, "B"], active: ["bold"] },
  { name: "italic", text: "I", label: "Italic", keys: [MOD, "I"], active: ["italic"] },
  { name: "bullets", text: "Bullets", keys: [MOD, "Shift", "8"], active: ["bulletList"] },
  { name: "numbers", text: "Numbers", keys: [MOD, "Shift", "7"], active: ["orderedList"] },
  { name: "link", text: "Link", keys: [MOD, "K"], active: ["link"] },
  { name: "quote", text: "Quote", active: ["quote"], body: true },
  { name: "undo", text: "Undo", keys: [MOD, "Z"], can: (can) => can.undo() },
  { name: "redo", text: "Redo", keys: [MOD, "Shift", "Z"], can: (can) => can.redo() },
]

/* What the tools do to the text; link and quote are more than one step. */
const CHANGES = {
  heading: (chain) => chain.toggleHeading({ level: 2 }),
  subheading: (chain) => chain.toggleHeading({ level: 3 }),
  bold: (chain) => chain.toggleBold(),
  italic: (chain) => chain.toggleItalic(),
  bullets: (chain) => chain.toggleBulletList(),
  numbers: (chain) => chain.toggleOrderedList(),
  undo: (chain) => chain.undo(),
  redo: (chain) => chain.redo(),
}

export function makeToolbar(editor, kind, name, toggleQuote) {
  const bar = make("div", { className: "tools" })
  bar.setAttribute("role", "toolbar")
  bar.setAttribute("aria-label", `${name}: tools`)
  const link = makeLinkRow(editor)
  const tools = TOOLS.filter((tool) => kind === "body" || !tool.body)
  const steps = { link: link.open, quote: () => toggleQuote(editor) }
  const buttons = tools.map((tool) => makeButton(tool, steps[tool.name] ?? (() => run(editor, CHANGES[tool.name]))))
  bar.append(...buttons)
  roving(bar, buttons, editor)
  const update = () => tools.forEach((tool, index) => show(editor, tool, buttons[index]))
  editor.on("transaction", update)
  update()
  editor.view.dom.addEventListener("keydown", (event) => {
    if (event.altKey && event.key === "F10") {
      event.preventDefault()
      buttons.find((button) => button.tabIndex === 0)?.focus()
    }
  })
  return { element: make("div", { className: "tools-box" }, bar, link.row), editLink: link.open }
}

/* Does something to the text, with the cursor back in it at once: Tiptap's own focus() waits for a frame. */
function run(editor, change) {
  editor.view.focus()
  return change(editor.chain()).run()
}

function makeButton(tool, press) {
  const label = tool.label ?? tool.text
  const button = make("button", { type: "button", textContent: tool.text, tabIndex: -1 })
  button.dataset.tool = tool.name
  if (tool.keys) button.title = `${label} (${tool.keys.join(" ")})`
  if (tool.label) button.setAttribute("aria-label", tool.label)
  // The words stay selected while the button is pressed.
  button.addEventListener("mousedown", (event) => event.preventDefault())
  button.addEventListener("click", () => {
    if (button.getAttribute("aria-disabled") !== "true") press()
  })
  return button
}

function show(editor, tool, button) {
  if (tool.active) button.setAttribute("aria-pressed", String(editor.isActive(...tool.active)))
  if (tool.can) button.setAttribute("aria-disabled", String(!tool.can(editor.can())))
}

function roving(bar, buttons, editor) {
  buttons[0].tabIndex = 0
  const go = (button) => {
    buttons.forEach((other) => (other.tabIndex = other === button ? 0 : -1))
    button.focus()
  }
  bar.addEventListener("focusin", (event) => {
    buttons.forEach((other) => (other.tabIndex = other === event.target ? 0 : -1))
  })
  bar.addEventListener("keydown", (event) => {
    const at = buttons.indexOf(document.activeElement)
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1 + buttons.length, Home: 0, End: buttons.length - 1 }[event.key]
    if (to !== undefined) {
      event.preventDefault()
      go(buttons[to % buttons.length])
    } else if (event.key === "Escape") {
      editor.view.focus()
    }
  })
}

/* The address of a link, asked for in a row under the tools: no dialog over the words it is about. */
function makeLinkRow(editor) {
  const id = `link-${Math.random().toString(36).slice(2)}`
  const input = make("input", { id, type: "text", inputMode: "url", className: "form-control", autocomplete: "off" })
  const fault = make("p", { id: `${id}-fault`, className: "err" })
  fault.setAttribute("role", "alert")
  input.setAttribute("aria-describedby", fault.id)
  const label = make("label", { htmlFor: id, className: "form-label", textContent: "Web or mail address" })
  const remove = makeAction("Remove link", () => finish((chain) => chain.extendMarkRange("link").unsetLink()))
  const row = make(
    "div",
    { className: "link-row", hidden: true },
    make("div", { className: "link-field" }, label, input),
    makeAction("Set link", set),
    remove,
    makeAction("Cancel", () => finish()),
    fault,
  )

  function open() {
    row.hidden = false
    fault.textContent = ""
    input.removeAttribute("aria-invalid")
    input.value = editor.getAttributes("link").href ?? ""
    remove.hidden = !editor.isActive("link")
    input.select()
    input.focus()
  }

  function finish(change = (chain) => chain) {
    row.hidden = true
    run(editor, change)
  }

  function set() {
    const href = fullAddress(input.value)
    if (!href) {
      fault.textContent = "Give a full address, such as https://rivers.example/wall or press@rivers.example"
      input.setAttribute("aria-invalid", "true")
      input.focus()
      return
    }
    const bare = editor.state.selection.empty && !editor.isActive("link")
    const words = { type: "text", text: input.value.trim(), marks: [{ type: "link", attrs: { href } }] }
    finish((chain) => (bare ? chain.insertContent(words) : chain.extendMarkRange("link").setLink({ href })))
  }

  row.addEventListener("keydown", (event) => {
    if (event.key === "Escape") finish()
    if (event.key === "Enter" && event.target === input) set()
    if (event.key === "Escape" || (event.key === "Enter" && event.target === input)) event.preventDefault()
  })
  return { row, open }
}

function fullAddress(typed) {
  const text = typed.trim()
  if (/^https?:\/\/[^\s/@]+\S*$/i.test(text) || /^mailto:[^\s@]+@[^\s@]+$/i.test(text)) return text
  if (/^[^\s@/:]+@[^\s@/:]+\.[^\s@/:]+$/.test(text)) return `mailto:${text}`
  if (/^[\w-]+(\.[\w-]+)+([/?#]\S*)?$/.test(text)) return `https://${text}`
  return ""
}

function makeAction(text, press) {
  const button = make("button", { type: "button", className: "btn btn-sm", textContent: text })
  button.addEventListener("click", press)
  return button
}

function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties)
  element.append(...children)
  return element
}
