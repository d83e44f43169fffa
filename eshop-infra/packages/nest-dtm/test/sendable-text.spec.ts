import fc from 'fast-check';
import { answerText, sendableText } from '../src/branch/sendable-text.js';

const anything = fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code)) });

test('whatever a text is made of, what leaves is well formed, encodable and at most as long', () => {
  fc.assert(
    fc.property(anything, fc.integer({ min: 1, max: 300 }), (text, most) => {
      const sent = sendableText(text, most);
      expect(() => encodeURI(sent)).not.toThrow();
      expect(sent.length).toBeLessThanOrEqual(most);
      if (text.isWellFormed()) expect(text.startsWith(sent)).toBe(true);
    }),
  );
});

test('an answer has none of the words that are answers, and is not longer than DTM keeps', () => {
  expect(answerText('FAILURE, ONGOING')).toBe('failure, ongoing');
  expect(answerText('x'.repeat(1000))).toBe('x'.repeat(200));
});
