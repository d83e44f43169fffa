import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

interface PackageJson {
  exports?: Record<string, string | { types?: string }>;
}

/** The entry points with types, `.` first: their names in the exports map, and their declaration files. */
export function entriesOf(directory: string): { name: string; types: string }[] {
  const { exports = {} } = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')) as PackageJson;
  return Object.entries(exports).flatMap(([name, target]) =>
    typeof target === 'object' && target.types ? [{ name, types: target.types }] : [],
  );
}

/**
 * What one entry point of a built package offers, as text that is the same for the same offer: declarations without bodies
 * and comments, in a fixed order. The packages it depends on must be found from its directory.
 * @throws Error when its declarations cannot be read
 */
export async function apiReport(directory: string, types: string): Promise<string> {
  const { Extractor, ExtractorConfig } = await import('@microsoft/api-extractor');
  const output = mkdtempSync(join(tmpdir(), 'eshop-api-'));
  const file = join(directory, types);
  const typeRoot = join(directory, 'node_modules/@types');
  const silent = { default: { logLevel: 'none' as never } };
  try {
    const config = ExtractorConfig.prepare({
      configObjectFullPath: undefined,
      packageJsonFullPath: join(directory, 'package.json'),
      configObject: {
        projectFolder: directory,
        mainEntryPointFilePath: file,
        compiler: {
          overrideTsconfig: {
            compilerOptions: {
              module: 'nodenext',
              target: 'es2024',
              lib: ['es2024'],
              strict: true,
              skipLibCheck: true,
              // Globals such as Buffer: an entry point may use no package that brings Node's types along.
              typeRoots: [typeRoot],
              types: existsSync(join(typeRoot, 'node')) ? ['node'] : [],
            },
            files: [file],
          },
        },
        apiReport: {
          enabled: true,
          reportFileName: 'api',
          reportFolder: output,
          reportTempFolder: join(output, 'temporary'),
          includeForgottenExports: true,
        },
        docModel: { enabled: false },
        dtsRollup: { enabled: false },
        tsdocMetadata: { enabled: false },
        messages: {
          compilerMessageReporting: silent,
          extractorMessageReporting: silent,
          tsdocMessageReporting: silent,
        },
      },
    });
    const errors: string[] = [];
    const { succeeded } = Extractor.invoke(config, {
      localBuild: true,
      messageCallback: (message) => {
        if (message.logLevel === 'error') errors.push(message.text);
        message.handled = true;
      },
    });
    if (!succeeded) throw new Error(`the API of ${file} cannot be read: ${errors.join('\n')}`);
    return readFileSync(join(output, 'temporary/api.api.md'), 'utf8');
  } finally {
    rmSync(output, { recursive: true });
  }
}
