package diagnose

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"hash"
)

// mix is how key and content go into the hash.
type mix int

const (
	keyed    mix = iota // HMAC, as it should be
	plain               // the content alone
	keyFirst            // key, content
	keyLast             // content, key
	swapped             // HMAC with the content as the key
)

// method computes a digest.
type method struct {
	mistake
	hash    string
	mix     mix
	keyless bool // the key makes no difference
	start   func(key []byte) func(parts [][]byte) []byte
}

type hashFunc struct {
	id, name string
	size     int
	new      func() hash.Hash
}

// hashes lists the hash functions that senders use, the right one first.
func hashes() []hashFunc {
	return []hashFunc{
		{"", "SHA-256", sha256.Size, sha256.New},
		{"digest.hmac_sha1", "SHA-1", sha1.Size, sha1.New},
		{"digest.hmac_sha512", "SHA-512", sha512.Size, sha512.New},
		{"digest.hmac_sha384", "SHA-384", sha512.Size384, sha512.New384},
		{"digest.hmac_md5", "MD5", md5.Size, md5.New},
	}
}

// methods lists the ways to compute digests of the sizes that are presented:
// a hash whose size is not there can't match.
func methods(presented []reading) []method {
	var list []method
	for _, h := range hashes() {
		if !sized(presented, h.size) {
			continue
		}
		m := method{hash: h.name, start: h.hmac}
		if h.id != "" {
			m.steps = because(h.id, "")
		}
		list = append(list, m)
		for _, wrong := range []struct {
			id  string
			mix mix
		}{{"digest.plain", plain}, {"digest.key_first", keyFirst}, {"digest.key_last", keyLast}, {"digest.swapped", swapped}} {
			list = append(list, method{
				mistake: mistake{steps: because(wrong.id, h.name)}, hash: h.name, mix: wrong.mix,
				keyless: wrong.mix == plain, start: h.other(wrong.mix),
			})
		}
	}
	return list
}

// sized reports whether a reading has that many bytes; one that is cut short
// is taken for SHA-256.
func sized(presented []reading, size int) bool {
	for _, r := range presented {
		if len(r.digest) == size || r.cut != "" && size == sha256.Size {
			return true
		}
	}
	return false
}

func (f hashFunc) hmac(key []byte) func(parts [][]byte) []byte {
	return summing(hmac.New(f.new, key))
}

func (f hashFunc) other(m mix) func(key []byte) func(parts [][]byte) []byte {
	return func(key []byte) func(parts [][]byte) []byte {
		sum := summing(f.new())
		return func(parts [][]byte) []byte {
			switch m {
			case keyFirst:
				return sum(append([][]byte{key}, parts...))
			case keyLast:
				return sum(append(parts[:len(parts):len(parts)], key))
			case swapped:
				mac := hmac.New(f.new, joined(parts))
				_, _ = mac.Write(key)
				return mac.Sum(nil)
			default:
				return sum(parts)
			}
		}
	}
}

func summing(h hash.Hash) func(parts [][]byte) []byte {
	return func(parts [][]byte) []byte {
		h.Reset()
		for _, p := range parts {
			_, _ = h.Write(p) // a hash never fails
		}
		return h.Sum(nil)
	}
}

func joined(parts [][]byte) []byte {
	var all []byte
	for _, p := range parts {
		all = append(all, p...)
	}
	return all
}

func digestCauses() []Cause {
	const fix = "have the sender compute an HMAC-SHA256 with the secret as the key"
	return []Cause{
		{"digest.hmac_sha1", "the signature is an HMAC-SHA1, and the scheme's is an HMAC-SHA256", fix},
		{"digest.hmac_sha512", "the signature is an HMAC-SHA512, and the scheme's is an HMAC-SHA256", fix},
		{"digest.hmac_sha384", "the signature is an HMAC-SHA384, and the scheme's is an HMAC-SHA256", fix},
		{"digest.hmac_md5", "the signature is an HMAC-MD5, and the scheme's is an HMAC-SHA256", fix},
		{"digest.plain", "the signature is a plain hash of the content, made without the secret: anyone can make it", fix},
		{"digest.key_first", "the signature is a plain hash of the secret and the content written one after the other, not an HMAC", fix},
		{"digest.key_last", "the signature is a plain hash of the content and the secret written one after the other, not an HMAC", fix},
		{"digest.swapped", "the HMAC has key and message swapped: the content was taken as the key and the secret as the message", fix + " and the content as the message"},
	}
}
