<?php
// A receiver in PHP: the raw body, the HMAC over "timestamp.body", and a
// comparison in constant time.
// usage: WEBHOOK_SECRET=… php -S 127.0.0.1:PORT server.php

header('Content-Type: application/json');

if ($_SERVER['REQUEST_METHOD'] !== 'POST') {
    http_response_code(405);
    exit(json_encode(['error' => 'method']));
}
$stamp = $_SERVER['HTTP_X_WEBHOOK_TIMESTAMP'] ?? '';
$body = file_get_contents('php://input');
if (!ctype_digit($stamp) || abs(time() - (int) $stamp) > 300) {
    http_response_code(400);
    exit(json_encode(['error' => 'timestamp']));
}
$want = hash_hmac('sha256', $stamp . '.' . $body, getenv('WEBHOOK_SECRET'));
if (!hash_equals($want, $_SERVER['HTTP_X_WEBHOOK_SIGNATURE'] ?? '')) {
    http_response_code(401);
    exit(json_encode(['error' => 'signature']));
}
json_decode($body);
if (json_last_error() !== JSON_ERROR_NONE) {
    http_response_code(400);
    exit(json_encode(['error' => 'json']));
}
echo json_encode(['received' => true, 'event' => $_SERVER['HTTP_X_WEBHOOK_EVENT'], 'retry' => $_SERVER['HTTP_X_WEBHOOK_RETRY']]);
