/* The quote: a block of paragraphs whose speaker and role are fields of their own, inside the block.
   In HTML: <figure class="quote"><blockquote><p>…</p></blockquote>
            <figcaption><cite>Speaker</cite>, <span class="role">Role</span></figcaption></figure> */

export function makeQuote(tiptap, fieldId) {
  const { Node, Plugin } = tiptap
  return Node.create({
    name: "quote",
    group: "block",
    content: "paragraph+",
    defining: true,
    isolating: true,

    addAttributes() {
      return { speaker: { default: "", rendered: false }, role: { default: "", rendered: false } }
    },

    parseHTML() {
      return [
        {
          tag: "figure.quote",
          getAttrs: (figure) => ({
            speaker: textOf(figure, "figcaption cite"),
            role: textOf(figure, "figcaption .role"),
          }),
          contentElement: (figure) => figure.querySelector("blockquote") ?? figure,
        },
        { tag: "blockquote" },
      ]
    },

    renderHTML({ node }) {
      const { speaker, role } = node.attrs
      const caption = ["figcaption", ["cite", speaker], ...(role ? [", ", ["span", { class: "role" }, role]] : [])]
      return ["figure", { class: "quote" }, ["blockquote", 0], ...(speaker || role ? [caption] : [])]
    },

    addNodeView() {
      return (props) => new QuoteView(props)
    },

    addProseMirrorPlugins() {
      return [new Plugin({ view: (view) => ({ update: () => number(view.dom, fieldId) }) })]
    },

    onCreate() {
      number(this.editor.view.dom, fieldId)
    },

    addKeyboardShortcuts() {
      return {
        Enter: ({ editor }) => leaveAtEnd(editor),
        Backspace: ({ editor }) => dissolveIfEmpty(editor),
        Tab: ({ editor }) => {
          const quote = editor.isActive("quote") && quoteDom(editor)
          quote?.querySelector?.("input")?.focus()
          return Boolean(quote)
        },
      }
    },
  })
}

/* A quote of the paragraphs that are selected; or, inside a quote, paragraphs again. */
export function toggleQuote(editor) {
  return editor.isActive("quote") ? unwrap(editor) : wrap(editor)
}

function textOf(figure, selector) {
  return figure.querySelector(selector)?.textContent.replace(/[ \t\r\n]+/g, " ").trim() ?? ""
}

/* Where the selection stands in a quote: the node and its position. */
function around(editor) {
  const { $from } = editor.state.selection
  for (let depth = $from.depth; depth > 0; depth--) {
    const node = $from.node(depth)
    if (node.type.name === "quote") return { node, pos: $from.before(depth), depth, $from }
  }
  return null
}

function quoteDom(editor) {
  const found = around(editor)
  return found && editor.view.nodeDOM(found.pos)
}

function wrap(editor) {
  editor.view.focus()
  const done = editor.chain().clearNodes().wrapIn("quote").run()
  const found = done && around(editor)
  // Words that stand already need their speaker next; an empty quote needs its words first.
  if (found?.node.textContent) quoteDom(editor)?.querySelector("input")?.focus()
  return done
}

/* The cursor to a place in the text. At once: Tiptap's own focus() waits for a frame, and keys go astray. */
function goTo(editor, pos) {
  editor.commands.setTextSelection(Math.min(pos, editor.state.doc.content.size))
  editor.view.focus()
}

/* Back to paragraphs. Speaker and role become one as well: nothing that was typed goes. */
function unwrap(editor) {
  const found = around(editor)
  const { node, pos } = found
  editor.view.focus()
  return editor
    .chain()
    .command(({ tr, state }) => {
      const byline = [node.attrs.speaker, node.attrs.role].filter(Boolean).join(", ")
      const paragraphs = []
      node.forEach((child) => paragraphs.push(child))
      if (byline) paragraphs.push(state.schema.nodes.paragraph.create(null, state.schema.text(byline)))
      tr.replaceWith(pos, pos + node.nodeSize, paragraphs)
      return true
    })
    .setTextSelection(Math.max(1, found.$from.pos - 1))
    .run()
}

/* Enter in an empty last paragraph leaves the quote, as in a list. */
function leaveAtEnd(editor) {
  const found = around(editor)
  const { empty } = editor.state.selection
  if (!found || !empty || found.$from.parent.content.size || found.node.childCount < 2) return false
  if (found.$from.index(found.depth) !== found.node.childCount - 1) return false
  const { node, pos, $from } = found
  return editor
    .chain()
    .command(({ tr, state }) => {
      tr.delete($from.before(), $from.after())
      tr.insert(pos + node.nodeSize - $from.parent.nodeSize, state.schema.nodes.paragraph.create())
      return true
    })
    .setTextSelection(pos + node.nodeSize - $from.parent.nodeSize + 1)
    .run()
}

function dissolveIfEmpty(editor) {
  const found = around(editor)
  return found && !found.node.textContent && found.node.childCount === 1 ? unwrap(editor) : false
}

/* Quotes are counted from the top, and their fields have ids by that number, so that a fault can be linked to. */
function number(dom, fieldId) {
  dom.querySelectorAll("figure.quote").forEach((figure, index) => {
    figure.quoteView?.setNumber(index + 1, fieldId)
  })
}

class QuoteView {
  constructor({ node, editor, getPos }) {
    this.node = node
    this.editor = editor
    this.getPos = getPos
    this.contentDOM = make("blockquote")
    this.title = make("span", { className: "b" })
    this.fields = { speaker: this.field("speaker", "Speaker"), role: this.field("role", "Role") }
    const head = make("div", { className: "quote-head ends", contentEditable: "false" }, this.title, this.turnBack())
    const caption = make("figcaption", { contentEditable: "false" }, this.fields.speaker.box, this.fields.role.box)
    this.dom = make("figure", { className: "quote" }, head, this.contentDOM, caption)
    this.dom.setAttribute("role", "group")
    this.dom.quoteView = this
    this.show()
  }

  field(name, label) {
    const input = make("input", { className: "form-control", type: "text", autocomplete: "off" })
    const text = make("label", { className: "form-label", textContent: label })
    input.addEventListener("input", () => this.change(name, input.value))
    input.addEventListener("keydown", (event) => this.key(event))
    return { input, label: text, box: make("div", {}, text, input) }
  }

  turnBack() {
    const button = make("button", { type: "button", className: "btn btn-sm btn-plain" }, "Turn into paragraphs")
    button.addEventListener("click", () => {
      this.editor.commands.setTextSelection(this.getPos() + 2)
      toggleQuote(this.editor)
    })
    return button
  }

  change(name, value) {
    const flat = value.replace(/\s+/g, (space) => (space.includes("\u00a0") ? space : " "))
    this.editor.commands.command(({ tr }) => Boolean(tr.setNodeAttribute(this.getPos(), name, flat.trim())))
  }

  key(event) {
    const after = this.getPos() + this.node.nodeSize
    if (event.key === "Escape") {
      event.preventDefault()
      goTo(this.editor, after - 2)
    } else if (event.key === "Enter") {
      // Not "send the form": on to the role, or to the words after the quote.
      event.preventDefault()
      if (event.target === this.fields.speaker.input) this.fields.role.input.focus()
      else goTo(this.editor, after + 1)
    }
  }

  setNumber(number, fieldId) {
    this.title.textContent = `Quote ${number}`
    const { speaker } = this.node.attrs
    this.dom.setAttribute("aria-label", speaker ? `Quote ${number}, ${speaker}` : `Quote ${number}`)
    for (const [name, { input, label }] of Object.entries(this.fields)) {
      input.id = label.htmlFor = `${fieldId}_quote_${number}_${name}`
    }
  }

  show() {
    for (const [name, { input }] of Object.entries(this.fields)) {
      // While somebody types into it, the field knows better: it may end in a space.
      if (document.activeElement !== input) input.value = this.node.attrs[name]
    }
  }

  update(node) {
    if (node.type !== this.node.type) return false
    this.node = node
    this.show()
    return true
  }

  stopEvent(event) {
    return !this.contentDOM.contains(event.target) && !/^drag|^drop/.test(event.type)
  }

  ignoreMutation(mutation) {
    return mutation.type !== "selection" && !this.contentDOM.contains(mutation.target)
  }
}

function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties)
  element.append(...children)
  return element
}
