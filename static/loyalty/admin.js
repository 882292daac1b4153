// Small comforts of the admin's pages: copying, selecting and live progress.
(() => {
  "use strict";

  const POLL_MILLISECONDS = 2000;

  function copy(button) {
    const field = document.getElementById(button.dataset.copy);
    field.select();
    const done = () => { button.textContent = "Copied"; };
    if (navigator.clipboard) {
      navigator.clipboard.writeText(field.value).then(done);
    } else {
      document.execCommand("copy");
      done();
    }
  }

  async function poll(panel) {
    const answer = await fetch(panel.dataset.progress, {
      headers: { "X-Requested-With": "fetch" },
    }).catch(() => null);
    if (!answer || !answer.ok) {
      setTimeout(() => poll(panel), POLL_MILLISECONDS * 3);
      return;
    }
    const stage = answer.headers.get("X-Upload-Stage");
    panel.innerHTML = await answer.text();
    if (stage && stage !== panel.dataset.stage) {
      // The buttons and the result belong to the step: show the page anew.
      window.location.reload();
      return;
    }
    setTimeout(() => poll(panel), POLL_MILLISECONDS);
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy]");
    if (button) {
      copy(button);
    }
    if (event.target.matches("[data-select-all]")) {
      event.target.select();
    }
  });

  document.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll("[data-progress]").forEach((panel) => {
      setTimeout(() => poll(panel), POLL_MILLISECONDS);
    });
  });
})();
