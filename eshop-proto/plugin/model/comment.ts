import type { DescEnumValue, DescField, DescMessage, DescMethod } from '@bufbuild/protobuf';
import { getComments } from '@bufbuild/protoplugin';

/** The comment before a declaration as running text: single line breaks are spaces. */
export function commentOf(desc: DescField | DescMessage | DescMethod | DescEnumValue): string {
  const text = getComments(desc).leading ?? '';
  return text
    .split(/\n\s*\n/)
    .map((paragraph) =>
      paragraph
        .split('\n')
        .map((line) => line.trim())
        .join(' ')
        .trim(),
    )
    .filter((paragraph) => paragraph !== '')
    .join('\n\n');
}

/** The first sentence, without its full stop, and what follows. */
export function splitSummary(comment: string): { summary: string; description: string } {
  const end = comment.search(/\.(\s|$)/);
  if (end < 0) return { summary: comment, description: '' };
  return { summary: comment.slice(0, end), description: comment.slice(end + 1).trim() };
}
