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
    const named = (name) => [...document.querySelectorAll("a")].find((one) => (
      !one.dataset.tab && one.firstChild && one.firstChild.textContent.trim() === name
    ));
    // Reward methods stand beside the tab that holds all others.
    [named("General"), named(link.dataset.tab)].forEach((tab) => tab && tab.click());
    setTimeout(() => {
      const names = [link.hash, `${link.hash}_0`, link.hash.replace("#id_", "#") + "-group"];
      const field = names.map((one) => document.querySelector(one)).find(Boolean);
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

// Reward methods: a new row is open, and shows only what its reward needs.
(() => {
  "use strict";

  const POINTS = ["fixed", "per_value", "per_item_value"];
  const WANTED = {
    points: (reward) => POINTS.includes(reward),
    per_value: (reward) => ["per_value", "per_item_value"].includes(reward),
    multiplier: (reward) => reward === "multiplier",
    voucher_type: (reward) => reward === "voucher",
    wallet: (reward, input) => [...POINTS, "multiplier"].includes(reward) && input.options.length > 2,
  };

  function field(row, name) {
    return row.querySelector(`[name$="-${name}"]`);
  }

  function show(input, isWanted) {
    const line = input && input.closest(".form-row");
    if (line) {
      line.style.display = isWanted ? "" : "none";
    }
  }

  function chosen(name) {
    const input = document.getElementById(`id_${name}`);
    return input ? input.value : "";
  }

  function arrange(row) {
    const reward = field(row, "reward_method");
    if (!reward) {
      return;
    }
    Object.entries(WANTED).forEach(([name, isWanted]) => {
      const input = field(row, name);
      show(input, Boolean(input) && isWanted(reward.value, input));
    });
    show(field(row, "weight"), chosen("handling") === "random_draw");
    const hasPrice = chosen("context") === "interaction";
    ["usage_cost", "usage_cost_wallet"].forEach((name) => {
      const input = field(row, name);
      show(input, hasPrice || Boolean(input && input.value));
    });
    const baskets = row.querySelector(".loyalty-of-baskets");
    if (baskets) {
      const isOfBaskets = ["activity", "basket"].includes(chosen("context"));
      const isFilled = baskets.querySelector(".errors, option:checked[value]:not([value='']):not([value='basket_fixed'])");
      baskets.style.display = isOfBaskets || isFilled ? "" : "none";
    }
  }

  function rows() {
    return document.querySelectorAll("#methods-data > .form-group");
  }

  document.addEventListener("change", (event) => {
    if (event.target.closest("#campaign_form")) {
      rows().forEach(arrange);
    }
  });

  document.addEventListener("formset:added", (event) => {
    const row = event.target.closest(".form-group") || event.target;
    arrange(row);
    // Alpine takes the row over once this event is done with.
    setTimeout(() => {
      if (window.Alpine && row.matches("#methods-data > *")) {
        window.Alpine.$data(row).openRow = true;
      }
    });
  });

  document.addEventListener("DOMContentLoaded", () => rows().forEach(arrange));
})();
