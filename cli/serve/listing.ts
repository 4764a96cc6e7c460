import { escapeMarkup } from '../markup.js';
import { formatBytes } from '../progress.js';

/** A file of a folder, or a folder in it, which has no size. */
export interface ListedFile {
  readonly name: string;
  readonly size: number | undefined;
}

/** A plain page that lists the files of a folder, with links. */
export function listingPage(folder: string, files: readonly ListedFile[]): string {
  const rows = files.map(({ name, size }) => {
    const slash = size === undefined ? '/' : '';
    const text = size === undefined ? '' : formatBytes(size);
    return `<tr><td><a href="${encodeURIComponent(name)}${slash}">${escapeMarkup(name + slash)}</a></td><td>${text}</td></tr>`;
  });
  return [
    '<!doctype html>',
    `<html lang="en"><meta charset="utf-8"><title>${escapeMarkup(folder)}</title>`,
    `<h1>${escapeMarkup(folder)}</h1>`,
    files.length === 0 ? '<p>No files.</p>' : `<table>${rows.join('\n')}</table>`,
    '</html>',
    '',
  ].join('\n');
}
