import type { AuditReport, SaleFigures } from './audit.ts';
import type { Explanation } from './explain.ts';
import { difference } from './invariants/i1-stock-books.ts';
import { type InvariantName, invariantTitles, type Violation } from './violation.ts';

const BOOKS_SHOWN = 10;
const VIOLATIONS_SHOWN = 20;

/** Pads columns to equal width; the first is a name, the others are figures. */
export function table(rows: readonly (readonly (string | number)[])[]): string[] {
  const text = rows.map((row) => row.map(String));
  const widths = text.reduce<number[]>((all, row) => row.map((cell, i) => Math.max(all[i] ?? 0, cell.length)), []);
  return text.map((row) =>
    row
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
}

/** The verdict in one line. */
export function verdict({ holds, broken }: Pick<AuditReport, 'holds' | 'broken'>): string {
  if (holds) return 'audit: all invariants hold';
  const counts = Object.entries(broken).map(([name, count]) => `${name} ×${count}`);
  return `audit: VIOLATED ${counts.sort().join(', ')}`;
}

/** The books, the orders and the violations, shortened to what a person reads. */
export function reportText(report: AuditReport): string {
  const { orders, records, tookMs, at } = report;
  return [
    ...bookLines(report),
    ...saleLines(report.sales),
    '',
    `orders  placed ${orders.placed}, cancelled ${orders.cancelled}, unfinished ${orders.unfinished}`,
    ...(records ? [queueLine(records)] : []),
    `read at ${at} UTC in ${tookMs} ms`,
    '',
    ...violationLines(report),
    verdict(report),
  ].join('\n');
}

function queueLine({ read, dead, unreadable }: NonNullable<AuditReport['records']>): string {
  const lost = unreadable > 0 ? `, ${unreadable} batches among them that cannot be read` : '';
  return `queue   ${read} records read, ${dead} of them dead letters${lost}`;
}

function bookLines({ books }: AuditReport): string[] {
  const off = books.filter((book) => difference(book) !== 0);
  const shown = books.slice(0, Math.max(BOOKS_SHOWN, Math.min(off.length, VIOLATIONS_SHOWN)));
  const lines = table([
    ['product', 'initial', 'stock', 'in orders', 'difference'],
    ...shown.map((book) => [
      book.productID,
      book.initial ?? '-',
      book.stock ?? '-',
      book.inOrders,
      difference(book) || '0',
    ]),
  ]);
  const rest = books.length - shown.length;
  if (rest > 0)
    lines.push(`… and ${rest} more products, ${Math.max(0, off.length - shown.length)} of them with a difference`);
  const sum = (of: (book: (typeof books)[number]) => number) => books.reduce((total, book) => total + of(book), 0);
  const figures = [
    `initial ${sum(({ initial }) => initial ?? 0)}`,
    `stock ${sum(({ stock }) => stock ?? 0)}`,
    `in orders ${sum(({ inOrders }) => inOrders)}`,
    `difference ${sum(difference)}`,
  ];
  return [...lines, `all ${books.length} products: ${figures.join(', ')}`];
}

/** The running sales: those that do not stand as they should first. */
function saleLines(sales: readonly SaleFigures[]): string[] {
  if (sales.length === 0) return [];
  const odd = (sale: SaleFigures) => (sale.state === 'counted' ? 1 : 0);
  const shown = [...sales].sort((a, b) => odd(a) - odd(b) || b.reserved - a.reserved).slice(0, BOOKS_SHOWN);
  const lines = table([
    ['flash sale of', 'units', 'left', 'reserved', 'in stock', 'counter'],
    ...shown.map(({ productID, units, left, reserved, allotted, state }) => [
      `product ${productID}`,
      ...[units, left ?? '-', reserved, allotted, counterTexts[state]],
    ]),
  ]);
  const rest = sales.length - shown.length;
  return ['', ...lines, ...(rest > 0 ? [`… and ${rest} more sales`] : [])];
}

const counterTexts: Record<SaleFigures['state'], string> = {
  counted: 'read',
  changing: 'is being changed',
  moving: 'too busy to be judged',
  lost: 'lost: closed until it is rebuilt',
  ended: '-',
  unread: 'not asked',
};

function violationLines({ violations, broken }: AuditReport): string[] {
  return Object.entries(invariantTitles).flatMap(([name, title]) => {
    const count = broken[name as InvariantName] ?? 0;
    if (count === 0) return [];
    const shown = violations.filter(({ invariant }) => invariant === name).slice(0, VIOLATIONS_SHOWN);
    const rest = count > shown.length ? [`  … and ${count - shown.length} more`] : [];
    return [`${name} is violated: ${title}`, ...shown.map((violation) => `  ${violationText(violation)}`), ...rest, ''];
  });
}

export function violationText({ subject, message }: Violation): string {
  return `${subject}: ${message}`;
}

/** What is known of one order, for a person. */
export function explanationText({ facts, unfinished, dtmBranches, violations }: Explanation): string {
  const { orderID, submission, order, pay, coupon, dtm, branches } = facts;
  const part = (name: string, what: object | undefined) => [
    name,
    what
      ? Object.entries(what)
          .map(([key, value]) => `${key} ${value === '' ? '""' : value}`)
          .join(', ')
      : '-',
  ];
  const lines = [
    part('accepted', submission),
    part('order row', order),
    part('payment', pay),
    part('coupon', coupon),
    part('DTM', dtm),
    part('barriers', branches),
    ...dtmBranches.map(({ branch, op, status, url }) => [`  branch ${branch} ${op}`, `${status}  ${url}`]),
  ];
  const width = Math.max(...lines.map(([name = '']) => name.length));
  return [
    `order ${orderID}${unfinished ? ' (unfinished: not judged yet)' : ''}`,
    ...lines.map(([name = '', what = '']) => `  ${name.padEnd(width)}  ${what}`),
    ...violations.map((violation) => `${violation.invariant}: ${violationText(violation)}`),
    violations.length === 0 ? 'audit: nothing is wrong with it' : `audit: ${violations.length} violations`,
  ].join('\n');
}
