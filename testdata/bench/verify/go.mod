module github.com/wskdev/wsk/testdata/bench/verify

go 1.26.0

replace github.com/wskdev/wsk => ../../..

require (
	github.com/standard-webhooks/standard-webhooks/libraries v0.0.1
	github.com/svix/svix-webhooks v1.44.0
	github.com/wskdev/wsk v0.0.0-00010101000000-000000000000
)

require (
	github.com/tidwall/gjson v1.20.0 // indirect
	github.com/tidwall/match v1.1.1 // indirect
	github.com/tidwall/pretty v1.2.0 // indirect
	gopkg.in/validator.v2 v2.0.1 // indirect
)
