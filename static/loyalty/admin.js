// Small comforts of the admin's pages: copying, selecting, live progress, links to tabs.
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

  // A link to a field opens the tab that the field stands on.
  function openTab(link) {
    const tabs = [...document.querySelectorAll("nav a")];
    const tab = tabs.find((one) => one.firstChild && one.firstChild.textContent.trim() === link.dataset.tab);
    if (tab) {
      tab.click();
    }
    setTimeout(() => {
      const field = document.querySelector(link.hash) || document.querySelector(`${link.hash}_0`);
      if (field) {
        field.scrollIntoView({ block: "center" });
        field.focus();
      }
    }, 50);
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
    const link = event.target.closest("[data-tab]");
    if (link) {
      event.preventDefault();
      openTab(link);
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
