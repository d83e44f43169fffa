import { createContext } from '../../create-context.ts';
import { foreignImages } from './engine.ts';

it('the images that must be had are the servers and what the services stand on', () => {
  expect(foreignImages(createContext()).sort()).toEqual([
    'apache/kafka:3.9.1',
    'mysql:8.4',
    'node:24-bookworm-slim',
    'redis:7.4',
    'verdaccio/verdaccio:6',
    'yedf/dtm:1.18.0',
  ]);
});
