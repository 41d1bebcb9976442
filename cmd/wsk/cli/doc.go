// Package cli holds the commands of wsk, one file for each. A command is an
// options struct, a constructor newX that declares its flags, and a function
// that reads, asks the packages under pkg, and writes.
//
// What a command needs of the world comes in an [Env]; only [Env] is shared.
// [Main] runs a command line and gives the exit code.
package cli
