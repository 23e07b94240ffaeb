/* The error summary takes the focus when it appears; its links go to the control itself (GOV.UK error summary). */
function announce(root) {
  const summary = root.querySelector?.(".err[role=alert]");
  if (!summary || summary.dataset.said) return;
  summary.dataset.said = "yes"; // a swap elsewhere on the page leaves the focus where it is
  summary.focus();
}

announce(document);
document.addEventListener("htmx:after:swap", () => announce(document.getElementById("main")));
document.addEventListener("click", (event) => {
  const target = event.target.closest(".err a[href^='#']");
  const control = target && document.getElementById(target.hash.slice(1));
  if (!control) return;
  event.preventDefault();
  control.scrollIntoView({ block: "center" });
  control.focus({ preventScroll: true });
});
