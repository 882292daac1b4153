// How a file is read: what is changed shows at once in the first rows.
(() => {
  "use strict";

  const WAIT_MILLISECONDS = 250;
  const form = document.getElementById("reading-form");
  if (!form) {
    return;
  }
  let timer = null;
  let last = 0;

  async function show(isOfColumns) {
    last += 1;
    const asked = last;
    const answer = await fetch(form.dataset.preview, {
      method: "POST",
      body: new FormData(form),
      headers: { "X-Requested-With": "fetch" },
    }).catch(() => null);
    if (!answer || !answer.ok || asked !== last) {
      return;
    }
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const names = ["reading-preview"];
    if (isOfColumns) {
      // Other columns have other words; the field being typed in is not touched.
      names.push("reading-translations");
    }
    names.forEach((name) => {
      const fresh = page.getElementById(name);
      const old = document.getElementById(name);
      if (fresh && old) {
        old.replaceWith(fresh);
      }
    });
  }

  function later(event) {
    const name = event.target.name || "";
    clearTimeout(timer);
    if (name === "save_as") {
      return;
    }
    timer = setTimeout(() => show(name.startsWith("column_")), WAIT_MILLISECONDS);
  }

  // What was typed last is sent with the form; nothing is asked after it.
  form.addEventListener("submit", () => {
    clearTimeout(timer);
    last += 1;
  });
  form.addEventListener("change", later);
  form.addEventListener("input", later);
})();
