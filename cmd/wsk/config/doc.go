// Package config turns flags, environment and files into one plain [Config].
//
// A value comes from the first of these that has it: a flag, the environment,
// the project's .wsk.yaml (in the working folder or above), the user's
// config.yaml, a default. In a file the chosen profile's values stand before
// the file's own. [Config.Value] says what holds and where it came from.
//
// A project's file is somebody else's text until its user says
// otherwise: see [Config.CheckHost] and [Trust].
package config
