// Votes without a page load.
for (const dish of document.querySelectorAll("[data-dish]")) {
  dish.querySelector("button").addEventListener("click", async () => {
    const answer = await fetch("/api/votes", { method: "POST", body: JSON.stringify({ dish: dish.dataset.dish }) });
    if (answer.ok) show(await answer.json());
  });
}

function show(votes) {
  const most = Math.max(...Object.values(votes), 1);
  for (const dish of document.querySelectorAll("[data-dish]")) {
    const count = votes[dish.dataset.dish];
    dish.querySelector("b").textContent = count;
    dish.querySelector(".bar i").style.width = `${Math.round((100 * count) / most)}%`;
  }
}

// The dev server names its copy of the application; another name after a restart means: reload.
let known = null;
new EventSource("/reload").onmessage = ({ data }) => {
  if (known && known !== data) location.reload();
  known = data;
};
