// What is wrong with a page as it is shown: errors, empty states, what goes over its edge, words of the other language (but its name).

/** Runs in the page. */
function look({ language, mayBeEmpty, isPhone }) {
  const found = [];
  const isSeen = (node) =>
    node.checkVisibility({ visibilityProperty: true }) && node.getClientRects().length > 0;
  const short = (node) => node.textContent.trim().replace(/\s+/g, ' ').slice(0, 60);
  const main = document.querySelector('main') ?? document.body;

  for (const node of document.querySelectorAll('[role=alert], .error'))
    if (isSeen(node) && short(node)) found.push(`error: ${short(node)}`);
  if (!mayBeEmpty)
    for (const node of main.querySelectorAll('.empty, p.quiet, p.none'))
      if (isSeen(node) && short(node)) found.push(`empty: ${short(node)}`);

  if (document.documentElement.scrollWidth > innerWidth) found.push('the page goes sideways');
  if (main.scrollWidth > main.clientWidth) found.push('the page’s body goes sideways');
  for (const box of document.querySelectorAll('.list-box'))
    if (!isPhone && box.scrollWidth > box.clientWidth + 1)
      found.push(`a table goes sideways: ${box.getAttribute('aria-label') ?? short(box)}`);

  // Words that reach over the edge of the box they stand in, or are cut off by it.
  const words = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = words.nextNode(); node; node = words.nextNode()) {
    const holder = node.parentElement;
    if (!node.data.trim() || holder.closest('.unseen, svg, script, option') || !isSeen(holder)) continue;
    if (
      language === 'en' &&
      /\p{Script=Han}/u.test(node.data.replace('中文', '')) &&
      !holder.closest('[lang=zh], [lang=zh-CN]')
    )
      found.push(`not English: ${short(holder)}`);
    const range = document.createRange();
    range.selectNodeContents(node);
    const box = holder.closest('td, th, li, dd, dt, button, a, p, h1, h2, h3, label, header, section, div');
    const { right } = box.getBoundingClientRect();
    const over = Math.max(...[...range.getClientRects()].map((rect) => rect.right)) - right;
    const isCut = getComputedStyle(box).textOverflow === 'ellipsis';
    if (over > 2.5 && !isCut) found.push(`over the edge by ${Math.round(over)} px: ${short(node)}`);
  }
  return [...new Set(found)];
}

export const findings = (page, what) => page.evaluate(look, what);
