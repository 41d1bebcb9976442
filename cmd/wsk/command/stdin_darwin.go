package command

// fionread requests the number of bytes that can be read: FIONREAD in
// <sys/filio.h>, which package unix does not name.
const fionread = 0x4004667f
