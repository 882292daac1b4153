// Shows of each rule of a segment only the fields that its fact needs.
(() => {
  "use strict";

  const NEEDS = {
    tier: ["tier"],
    balance: ["wallet", "number"],
    lifetime_earned: ["wallet", "number"],
    activity_count: ["number", "activity_type", "days"],
    activity_value: ["number", "activity_type", "days"],
    last_activity: ["number", "activity_type"],
    enrolled: ["number"],
    attribute: ["attribute", "text", "number"],
    business_unit: ["business_unit"],
    segment: ["other_segment"],
  };
  const FIELDS = [...new Set(Object.values(NEEDS).flat())];

  function fieldOf(select, name) {
    const id = select.id.replace(/-fact$/, `-${name}`);
    const input = document.getElementById(id);
    return input && input.closest(`.field-${name}`);
  }

  function show(select) {
    const needed = NEEDS[select.value] || [];
    FIELDS.forEach((name) => {
      const field = fieldOf(select, name);
      if (field) {
        field.hidden = !needed.includes(name);
        field.style.display = field.hidden ? "none" : "";
      }
    });
  }

  function showAll() {
    document.querySelectorAll("select[name$='-fact']").forEach(show);
  }

  document.addEventListener("change", (event) => {
    if (event.target.matches("select[name$='-fact']")) {
      show(event.target);
    }
  });
  document.addEventListener("DOMContentLoaded", showAll);
  document.addEventListener("formset:added", showAll);
})();
