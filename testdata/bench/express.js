// A peer of wsk listen: express verifies the HMAC of the raw body, and keeps nothing.
//
// usage: node express.js SECRET, prints its address
'use strict';

const crypto = require('node:crypto');
const express = require('express');

const app = express();
const secret = process.argv[2];

app.post('/', express.raw({ type: '*/*', limit: '1mb' }), (request, response) => {
  const mac = crypto.createHmac('sha256', secret).update(`${request.get('X-Webhook-Timestamp')}.`).update(request.body).digest();
  const got = Buffer.from(request.get('X-Webhook-Signature') ?? '', 'hex');
  if (got.length !== mac.length || !crypto.timingSafeEqual(got, mac)) {
    response.sendStatus(401);
    return;
  }
  response.json({ received: true });
});

const server = app.listen(0, '127.0.0.1', () => console.log(`127.0.0.1:${server.address().port}`));
