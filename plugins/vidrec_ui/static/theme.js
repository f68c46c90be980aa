// Follows the theme that was chosen in Airflow (kept under "theme": light, dark or system).
(function () {
  function follow() {
    var theme = null;
    try { theme = window.localStorage.getItem("theme"); } catch (refused) { /* no storage: the system's theme */ }
    theme = (theme || "").replace(/"/g, "");
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
    else delete document.documentElement.dataset.theme;
  }
  follow();
  window.addEventListener("storage", follow);
})();
