import * as assert from 'uvu/assert';
import { openModel } from '../../../models/openModel.js';
import type { FaultyServer } from '../faultyServer.js';

/** Opening a model brings its first tensors, too. */
const FIRST_READ = 65536;

/** Asserts that loading a model file from a server to a quality fetches little more than was planned. */
export async function checkPlannedBytes(server: FaultyServer, fileSize: number): Promise<void> {
  for (const strategy of ['scan', 'quality'] as const) {
    const before = server.sent;
    await using model = await openModel(server.url);
    const planned = model.plannedBytes({ quality: 0.99, strategy });
    await model.load({ quality: 0.99, strategy });
    const fetched = server.sent - before;
    assert.ok(model.quality >= 0.99);
    assert.ok(
      fetched <= Math.max(FIRST_READ, 1.05 * planned + 4096),
      `${fetched} fetched, ${planned} planned`,
    );
    assert.ok(fetched < 0.2 * fileSize);
  }
}
