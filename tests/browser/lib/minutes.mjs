// Minutes of a line as an agent would have sent them. They take minutes to come about: a test has no time for that.

const MINUTE_MS = 60_000;

/**
 * Lets the page read a line with minutes of its whole span, as if an agent had probed it. `lost(ms)` says how many of
 * the 60 probes of that minute were lost; null leaves the minute out.
 */
export async function withMinutes(page, code, lost = () => 0) {
  await page.route(`**/api/v1/lines/${code}?*`, async (route) => {
    const response = await route.fetch();
    const json = await response.json();
    const query = new URL(route.request().url()).searchParams;
    const [from, to] = [Date.parse(query.get('from')), Math.min(Date.now(), Date.parse(query.get('to')))];
    json.agent ??= 'sample-agent';
    json.summaries = [];
    for (let at = Math.ceil(from / MINUTE_MS) * MINUTE_MS; at < to; at += MINUTE_MS) {
      const n = lost(at);
      if (n !== null) json.summaries.push(minute(at, n));
    }
    await route.fulfill({ response, json });
  });
}

function minute(at, lost) {
  const wave = 1 + 0.4 * Math.sin(at / 900_000) + 0.1 * Math.sin(at / 130_000);
  const rtt = (us) => (lost < 60 ? Math.round(us * wave) : null);
  return {
    at: new Date(at).toISOString(),
    sent: 60,
    lost,
    late: 0,
    not_sent: 0,
    longest_run: lost,
    rtt_min_us: rtt(6_200),
    rtt_avg_us: rtt(8_100),
    rtt_max_us: rtt(19_000),
    jitter_us: rtt(700),
  };
}
