/* Opening "Ask for changes" puts the cursor where the reason goes. Without this the page works all the same. */
;(() => {
  document.querySelectorAll("[data-ask]").forEach((ask) =>
    ask.addEventListener("toggle", () => {
      if (ask.open) ask.querySelector("textarea").focus()
    })
  )
})()
