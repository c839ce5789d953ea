// Where an answer came from, by its Cache-Status (RFC 9211).

/** memory, redis, database, stale, or direct when no cache was asked. */
export function sourceOf(cacheStatus) {
  if (!cacheStatus) return "direct";
  if (/detail=stale/.test(cacheStatus)) return "stale";
  if (/memory; hit/.test(cacheStatus)) return "memory";
  if (/redis; hit/.test(cacheStatus)) return "redis";
  return "database";
}
