import type { ScalarTag } from 'yaml';

/** A value written as `!dev value` in the YAML: good enough on a developer's machine, refused in production. */
export class DevDefault {
  constructor(readonly text: string) {}
}

/** The YAML tag `!dev`. */
export const devTag: ScalarTag = {
  tag: '!dev',
  identify: (value) => value instanceof DevDefault,
  resolve: (text) => new DevDefault(text),
};
