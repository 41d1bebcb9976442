// Package cli puts the commands of wsk together: the tree of commands, and the
// exit code of each error. Every command is a package below this one, with a
// constructor New that declares its flags and a function that reads, asks the
// packages under pkg, and writes.
//
// What a command needs of the world comes in an Env of package command. [Main]
// runs a command line and returns the exit code.
package cli
