"use strict";
// Shows one view at a time. It runs before what it chooses from is parsed, so that nothing moves when it has chosen.
{
  const { dataset } = document.body, wide = matchMedia("(min-width: 1012px)");
  const show = (view) => {
    dataset.view = view;
    for (const link of document.querySelectorAll("nav a")) {
      const shown = link.dataset.show === (wide.matches && view === "conversation" ? "preview" : view);
      if (shown) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
  };
  document.querySelector("nav").addEventListener("click", (event) => {
    const { show: view } = event.target.dataset;
    if (!view) return;
    event.preventDefault();
    show(view);
  });
  wide.addEventListener("change", () => show(dataset.view));
  show(wide.matches ? dataset.firstWhenWide : dataset.first);
}
