/* Opening "Ask for changes" puts the cursor where the reason goes. Without this the page works all the same. */
;(() => {
  document.querySelectorAll("[data-ask]").forEach((ask) => {
    // A page that comes back with it open says so by "toggle" too: then the cursor belongs to the summary of faults.
    let byHand = false
    ask.querySelector("summary").addEventListener("click", () => (byHand = true))
    ask.addEventListener("toggle", () => {
      if (byHand && ask.open) ask.querySelector("textarea").focus()
      byHand = false
    })
  })
})()
