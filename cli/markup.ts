import { escapeControls } from '../src/errors/show.js';

/** Text in HTML and SVG, whatever is in it. */
export function escapeMarkup(text: string): string {
  return escapeControls(text).replace(/[<>&"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
