#!/usr/bin/env node
import { bundle } from './bundle.js';

const [entry = 'dist/main.js'] = process.argv.slice(2);
const { bytes } = await bundle(entry);
process.stdout.write(`${entry} and all that it imports: ${(bytes / 1e6).toFixed(1)} MB\n`);
