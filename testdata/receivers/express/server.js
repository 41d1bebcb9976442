// A receiver in Node with Express, as its own documentation shows one: the raw
// body, the HMAC over "timestamp.body", and a comparison in constant time.
// usage: WEBHOOK_SECRET=… node server.js; the first line is the port.
const crypto = require('crypto');
const express = require('express');

const secret = process.env.WEBHOOK_SECRET;
const app = express();

app.post('/', express.raw({ type: '*/*', limit: '1mb' }), (req, res) => {
  const stamp = req.get('X-Webhook-Timestamp') || '';
  if (!/^[0-9]+$/.test(stamp) || Math.abs(Date.now() / 1000 - Number(stamp)) > 300) {
    return res.status(400).json({ error: 'timestamp' });
  }
  const want = Buffer.from(crypto.createHmac('sha256', secret).update(`${stamp}.`).update(req.body).digest('hex'));
  const got = Buffer.from(req.get('X-Webhook-Signature') || '');
  if (got.length !== want.length || !crypto.timingSafeEqual(got, want)) {
    return res.status(401).json({ error: 'signature' });
  }
  try {
    JSON.parse(req.body);
  } catch {
    return res.status(400).json({ error: 'json' });
  }
  return res.json({ received: true, event: req.get('X-Webhook-Event'), retry: req.get('X-Webhook-Retry') });
});

const server = app.listen(0, '127.0.0.1', () => console.log(server.address().port));
