// A peer of wsk replay: k6 sends one payload for a time, and prints RATE FAILED, the requests a second
// and the share of them that did not pass. With SIGN=each it signs each request, with SIGN=once all are
// sent with one signature. FILE, URL and SECRET say what to send.
import crypto from 'k6/crypto';
import http from 'k6/http';

const body = open(__ENV.FILE);
const once = headers();

export const options = { discardResponseBodies: true };

function headers() {
  const stamp = String(Math.floor(Date.now() / 1000));
  return {
    'Content-Type': 'application/json',
    'X-Webhook-Event': 'work_order.created',
    'X-Webhook-Timestamp': stamp,
    'X-Webhook-Signature': crypto.hmac('sha256', __ENV.SECRET, `${stamp}.${body}`, 'hex'),
  };
}

export default function () {
  http.post(__ENV.URL, body, { headers: __ENV.SIGN === 'each' ? headers() : once });
}

export function handleSummary(data) {
  return { stdout: `${data.metrics.http_reqs.values.rate} ${data.metrics.http_req_failed.values.rate}\n` };
}
