// Looks again while a search by hand is under way; without scripts, the link on the page does.
(function () {
  if (document.querySelector("[data-waiting]")) {
    window.setTimeout(function () { window.location.reload(); }, 2000);
  }
})();
