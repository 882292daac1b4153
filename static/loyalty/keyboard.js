// Makes what the theme only lets a mouse do work from the keyboard, with roles and names.
(() => {
  "use strict";

  const NATIVE = "a[href], button, input, select, textarea, summary, label";
  const CLICKS = "x-on:click";
  const ICONS = {
    close: "Close",
    dock_to_right: "Show or hide the menu",
    filter_list: "Filters",
    more_horiz: "More actions",
    more_vert: "More actions",
  };
  const NAMES = {
    "#nav-sidebar-inner": "Main menu",
    "#tabs-items": "Parts of this page",
    "#tabs-dropdown": "More parts of this page",
    "#breadcrumbs": "Breadcrumbs",
  };

  const textOf = (node) => (node ? node.textContent.replace(/\s+/g, " ").trim() : "");

  function wordsOf(node) {
    const copy = node.cloneNode(true);
    copy.querySelectorAll(".material-symbols-outlined").forEach((icon) => icon.remove());
    return node.matches(".material-symbols-outlined") ? "" : textOf(copy);
  }

  function toggled(node) {
    const found = /^(\w+)\s*=\s*!\s*\1/.exec(node.getAttribute(CLICKS) || "");
    return found ? found[1] : "";
  }

  function menuOf(node) {
    const name = toggled(node);
    if (!name.startsWith("open")) {
      return null;
    }
    return [...document.querySelectorAll(`[x-show="${name}"]`)].find(
      (menu) => menu.hasAttribute("x-on:click.outside"),
    ) || null;
  }

  // Follows what Alpine knows, so that the state that is told is the state that is.
  function follow(node, expression, attribute) {
    if (window.Alpine && node.isConnected) {
      window.Alpine.effect(() => {
        try {
          node.setAttribute(attribute, String(Boolean(window.Alpine.evaluate(node, expression))));
        } catch {
          node.removeAttribute(attribute);
        }
      });
    }
  }

  function isVisible(node) {
    return node.getClientRects().length > 0;
  }

  function firstIn(menu) {
    return [...menu.querySelectorAll("a, button, input, [tabindex='0']")].find(isVisible);
  }

  function enter(node) {
    const menu = menuOf(node) || (/filterOpen = true/.test(node.getAttribute(CLICKS)) && document.getElementById("changelist-filter"));
    if (menu) {
      setTimeout(() => {
        const first = isVisible(menu) ? firstIn(menu) : null;
        if (first) {
          first.focus();
        }
      }, 200);
    }
  }

  // A heading stays one: the button is inside it.
  function insideOf(heading) {
    const strong = heading.querySelector("strong");
    if (strong) {
      return strong;
    }
    const inside = document.createElement("span");
    inside.className = "loyalty-heading-button";
    inside.append(...heading.childNodes);
    heading.append(inside);
    return inside;
  }

  function makeButton(node) {
    if (node.matches(NATIVE) || node.closest("[role='tablist']") || node.dataset.keyboard) {
      return;
    }
    // A curtain behind a panel, and what only reacts to clicks that bubble up.
    if (node.id === "changelist-filter-close" || (!textOf(node) && !node.children.length)) {
      return;
    }
    if (/activeFieldsetTab|\$event/.test(node.getAttribute(CLICKS)) && !node.matches("h3")) {
      return;
    }
    node.dataset.keyboard = "button";
    const button = node.matches("h2, h3") ? insideOf(node) : node;
    if (!button) {
      return;
    }
    button.setAttribute("role", "button");
    button.setAttribute("tabindex", "0");
    if (!wordsOf(button) && !button.getAttribute("aria-label")) {
      button.setAttribute("aria-label", button.title || ICONS[textOf(button)] || textOf(button).replaceAll("_", " "));
    }
    const name = node.matches("h3") ? "openRow" : toggled(node);
    if (name) {
      follow(button, name, "aria-expanded");
    }
    button.addEventListener("keydown", (event) => {
      if ((event.key === "Enter" || event.key === " ") && event.target === button) {
        event.preventDefault();
        button.click();
        enter(node);
      }
    });
  }

  function makeTabs(list) {
    const tabs = [...list.children].filter((one) => one.hasAttribute(CLICKS));
    if (list.dataset.keyboard || !tabs.length) {
      return;
    }
    list.dataset.keyboard = "tabs";
    list.setAttribute("role", "tablist");
    list.setAttribute("aria-label", "Parts of the form");
    tabs.forEach((tab, place) => {
      const value = /'([^']*)'/.exec(tab.getAttribute(CLICKS))[1];
      const panel = [...list.parentElement.parentElement.children].find(
        (one) => one.getAttribute("x-show") === `activeFieldsetTab == '${value}'`,
      );
      tab.id = tab.id || `tab-${value}`;
      tab.setAttribute("role", "tab");
      follow(tab, `activeFieldsetTab == '${value}'`, "aria-selected");
      if (window.Alpine) {
        window.Alpine.effect(() => {
          tab.tabIndex = window.Alpine.evaluate(tab, `activeFieldsetTab == '${value}'`) ? 0 : -1;
        });
      }
      if (panel) {
        panel.id = panel.id || `panel-${value}`;
        panel.setAttribute("role", "tabpanel");
        panel.setAttribute("aria-labelledby", tab.id);
        tab.setAttribute("aria-controls", panel.id);
      }
      tab.addEventListener("keydown", (event) => {
        const steps = { ArrowRight: place + 1, ArrowDown: place + 1, ArrowLeft: place - 1, ArrowUp: place - 1, Home: 0, End: tabs.length - 1 };
        if (event.key in steps) {
          event.preventDefault();
          const next = tabs[(steps[event.key] + tabs.length) % tabs.length];
          next.click();
          next.focus();
        } else if (event.key === "Enter" || event.key === " ") {
          event.preventDefault();
          tab.click();
        }
      });
    });
  }

  // Boxes with a search in them have their label beside a select that nobody sees.
  function nameSelect(select) {
    const box = select.nextElementSibling;
    if (!box || !box.classList.contains("select2")) {
      return;
    }
    const label = textOf(document.querySelector(`label[for="${select.id}"]`)) || select.getAttribute("aria-label") || select.name.replace(/__.*/, "").replaceAll("_", " ");
    box.querySelectorAll("[role='combobox']").forEach((one) => {
      const shown = one.querySelector(".select2-selection__rendered");
      const value = shown && !one.matches(".select2-selection--multiple") ? textOf(shown) : "";
      one.removeAttribute("aria-labelledby");
      one.setAttribute("aria-label", value ? `${label}: ${value}` : label);
      if (shown && shown.matches("[role='textbox']")) {
        shown.setAttribute("aria-label", label);
      }
    });
    box.querySelectorAll(".select2-search__field").forEach((one) => one.setAttribute("aria-label", label));
    box.querySelectorAll("ul.select2-selection__rendered").forEach((list) => {
      list.setAttribute("role", "presentation");
      [...list.children].forEach((one) => one.removeAttribute("title"));
    });
  }

  function nameCells(table) {
    const heads = [...table.querySelectorAll("thead th")];
    table.querySelectorAll("tbody td").forEach((cell) => {
      const head = heads[cell.cellIndex];
      const label = cell.dataset.label || textOf(head);
      cell.querySelectorAll("input:not([type='hidden']), select, textarea").forEach((field) => {
        if (!field.labels?.length && !field.getAttribute("aria-label")) {
          field.setAttribute("aria-label", label || (field.type === "checkbox" ? "Delete" : field.name));
        }
      });
    });
  }

  function nameRest(root) {
    const box = document.getElementById("nav-filter");
    if (box && !box.dataset.keyboard) {
      box.dataset.keyboard = "search";
      box.placeholder = "Find a member, campaign …";
      box.setAttribute("aria-label", "Find a page, member, campaign, activity or voucher");
    }
    Object.entries(NAMES).forEach(([which, name]) => {
      const node = document.querySelector(which);
      if (node && !node.getAttribute("aria-label")) {
        node.setAttribute("aria-label", name);
      }
    });
    root.querySelectorAll("nav:not([aria-label]):not([role])").forEach((nav) => {
      nav.setAttribute("aria-label", nav.closest("[x-data*='openUserLinks']") ? "Your account" : "More actions");
    });
    root.querySelectorAll(".simplebar-content-wrapper[role='region']").forEach((part, place) => {
      const isMenu = part.closest("#nav-sidebar-apps");
      const isFilter = part.closest("#changelist-filter");
      part.setAttribute("aria-label", isMenu ? "Menu" : isFilter ? "Filters" : `Part ${place + 1}`);
    });
    root.querySelectorAll("th").forEach((head) => {
      if (!textOf(head) && !head.querySelector("input, svg, img") && head.closest(".inline-group, [id$='-group']")) {
        head.insertAdjacentHTML("beforeend", "<span class='loyalty-unseen'>Delete</span>");
      }
    });
    root.querySelectorAll(".material-symbols-outlined:not([role='button'])").forEach((icon) => {
      const owner = icon.closest("a, button, [role='button'], h2, h3, label");
      if (!icon.querySelector("a, button") && (!owner || owner === icon.parentElement || owner.contains(icon))) {
        icon.setAttribute("aria-hidden", "true");
        if (owner && owner.matches("a, button") && !wordsOf(owner) && !owner.getAttribute("aria-label") && !owner.title) {
          owner.setAttribute("aria-label", ICONS[textOf(icon)] || textOf(icon).replaceAll("_", " "));
        } else if (owner && owner.title && !wordsOf(owner)) {
          owner.setAttribute("aria-label", owner.title);
        }
      }
    });
  }

  function improve(root) {
    root.querySelectorAll("nav").forEach((nav) => {
      if ([...nav.children].some((one) => (one.getAttribute(CLICKS) || "").startsWith("activeFieldsetTab"))) {
        makeTabs(nav);
      }
    });
    root.querySelectorAll(`[${CLICKS.replace(":", "\\:")}]`).forEach(makeButton);
    root.querySelectorAll("select.select2-hidden-accessible").forEach(nameSelect);
    root.querySelectorAll("table").forEach(nameCells);
    nameRest(root);
  }

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") {
      return;
    }
    document.querySelectorAll("[data-keyboard][aria-expanded='true']").forEach((opener) => {
      if (menuOf(opener)) {
        opener.click();
        opener.focus();
      }
    });
  });

  let isWaiting = false;
  function soon() {
    if (!isWaiting) {
      isWaiting = true;
      setTimeout(() => {
        isWaiting = false;
        improve(document);
      }, 50);
    }
  }

  function start() {
    improve(document);
    new MutationObserver(soon).observe(document.body, { childList: true, subtree: true });
  }

  document.addEventListener("alpine:initialized", () => setTimeout(start, 0));
})();
