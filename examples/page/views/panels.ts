/** From this width on, all panels are open. */
const WIDE = '(min-width: 45rem)';

/** Closes all panels but the first where there is little room: the page would be several screens long. */
export function foldOnSmallScreens(): void {
  if (matchMedia(WIDE).matches) return;
  for (const panel of document.querySelectorAll<HTMLDetailsElement>('details.panel')) panel.open = false;
}

/** A link to a panel opens it. */
export function openByLinks(): void {
  for (const link of document.querySelectorAll<HTMLAnchorElement>('nav a[href^="#"]')) {
    link.addEventListener('click', () => {
      document.querySelector<HTMLDetailsElement>(link.hash)!.open = true;
    });
  }
}
