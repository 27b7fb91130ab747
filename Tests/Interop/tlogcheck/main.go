// tlogcheck: other people's code reads our log. Everything that decides is Go's golang.org/x/mod/sumdb/note and
// sumdb/tlog (Debian: golang-golang-x-mod-dev); what is ours is the names of C2SP tlog-tiles, bundles of entries,
// checkpoints' three lines, cosignature/v1 and tlog-proof, which those packages do not have.
//
//	tlogcheck -vkey VKEY [-witness VKEY]... [-seen FILE]... [-proof FILE]... LOG
//
// LOG is a folder or a URL. It checks the checkpoint and the cosignatures of all witnesses named; reads every tile
// against the root, and every entry against its tile; builds the root from the entries alone; proves and checks
// the inclusion of records and the consistency with older sizes, and with every checkpoint in -seen; and
// checks tlog-proofs against the entries. It exits with 1 at the first thing that does not hold.
package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8
const width = 1 << height

func fail(format string, arguments ...interface{}) {
	fmt.Fprintf(os.Stderr, "tlogcheck: "+format+"\n", arguments...)
	os.Exit(1)
}

func must(err error, what string) {
	if err != nil {
		fail("%s: %v", what, err)
	}
}

// MARK: Reading

type source string

func (s source) read(path string) ([]byte, error) {
	if !strings.Contains(string(s), "://") {
		return os.ReadFile(filepath.Join(string(s), filepath.FromSlash(path)))
	}
	reply, err := http.Get(strings.TrimSuffix(string(s), "/") + "/" + path)
	if err != nil {
		return nil, err
	}
	defer reply.Body.Close()
	if reply.StatusCode != 200 {
		return nil, fmt.Errorf("HTTP %d for %s", reply.StatusCode, path)
	}
	return io.ReadAll(io.LimitReader(reply.Body, 1<<25))
}

// The name of a tile: sumdb's without its height, "tile/8/0/x001/067.p/5".
func name(tile tlog.Tile) string {
	return "tile/" + strings.TrimPrefix(tile.Path(), "tile/8/")
}

type tiles struct {
	source
	count int
}

func (t *tiles) Height() int { return height }

func (t *tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, tile := range wanted {
		data, err := t.read(name(tile))
		if err != nil && tile.W < width { // the full tile may have replaced it
			full := tile
			full.W = width
			if data, err = t.read(name(full)); err == nil && len(data) == width*tlog.HashSize {
				data = data[:tile.W*tlog.HashSize]
			}
		}
		if err != nil {
			return nil, err
		}
		all = append(all, data)
		t.count++
	}
	return all, nil
}

func (t *tiles) SaveTiles([]tlog.Tile, [][]byte) {}

// All entries, from their bundles.
func (t *tiles) entries(size int64) [][]byte {
	var entries [][]byte
	for start := int64(0); start < size; start += width {
		count := size - start
		if count > width {
			count = width
		}
		path := strings.Replace(name(tlog.Tile{H: height, L: 0, N: start / width, W: int(count)}), "tile/0/", "tile/entries/", 1)
		bundle, err := t.read(path)
		must(err, "bundle")
		for i := int64(0); i < count; i++ {
			if len(bundle) < 2 || len(bundle)-2 < int(binary.BigEndian.Uint16(bundle)) {
				fail("%s ends early", path)
			}
			length := int(binary.BigEndian.Uint16(bundle))
			entries = append(entries, bundle[2:2+length])
			bundle = bundle[2+length:]
		}
		if len(bundle) != 0 {
			fail("%s has more than %d entries", path, count)
		}
	}
	return entries
}

// MARK: Notes

// A cosigner's key: vkey type 4, which sumdb/note does not know.
type cosigner struct {
	name string
	hash uint32
	key  ed25519.PublicKey
}

func (c *cosigner) Name() string    { return c.name }
func (c *cosigner) KeyHash() uint32 { return c.hash }
func (c *cosigner) Verify(msg, sig []byte) bool {
	if len(sig) != 8+ed25519.SignatureSize {
		return false
	}
	text := fmt.Sprintf("cosignature/v1\ntime %d\n%s", binary.BigEndian.Uint64(sig), msg)
	return ed25519.Verify(c.key, []byte(text), sig[8:])
}

func newCosigner(vkey string) *cosigner {
	parts := strings.SplitN(vkey, "+", 3)
	if len(parts) != 3 {
		fail("%q is no verifier key", vkey)
	}
	key, err := base64.StdEncoding.DecodeString(parts[2])
	must(err, vkey)
	hash, err := strconv.ParseUint(parts[1], 16, 32)
	must(err, vkey)
	sum := sha256.Sum256(append([]byte(parts[0]+"\n"), key...))
	if len(key) != 33 || key[0] != 4 || binary.BigEndian.Uint32(sum[:]) != uint32(hash) {
		fail("%q is no cosigner's key", vkey)
	}
	return &cosigner{parts[0], uint32(hash), key[1:]}
}

// The tree of a checkpoint that the log signed, and all these witnesses.
func open(data []byte, log note.Verifier, witnesses []note.Verifier) tlog.Tree {
	opened, err := note.Open(data, note.VerifierList(append([]note.Verifier{log}, witnesses...)...))
	must(err, "checkpoint")
	if len(opened.Sigs) != 1+len(witnesses) {
		fail("checkpoint: %d of %d signatures", len(opened.Sigs), 1+len(witnesses))
	}
	return tree(opened.Text, log.Name())
}

func tree(text, origin string) tlog.Tree {
	lines := strings.Split(text, "\n")
	if len(lines) < 4 || lines[0] != origin {
		fail("checkpoint: not of %s", origin)
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	must(err, "checkpoint")
	hash, err := tlog.ParseHash(lines[2])
	must(err, "checkpoint")
	return tlog.Tree{N: size, Hash: hash}
}

// MARK: Checks

// Builds the tree from entries alone.
func rebuild(entries [][]byte) tlog.Hash {
	var stored []tlog.Hash
	reader := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		var hashes []tlog.Hash
		for _, index := range indexes {
			hashes = append(hashes, stored[index])
		}
		return hashes, nil
	})
	for i, entry := range entries {
		hashes, err := tlog.StoredHashes(int64(i), entry, reader)
		must(err, "entries")
		stored = append(stored, hashes...)
	}
	root, err := tlog.TreeHash(int64(len(entries)), reader)
	must(err, "entries")
	return root
}

func checkInclusion(head tlog.Tree, entries [][]byte, reader tlog.HashReader) int {
	step, count := int64(1), 0
	if head.N > 20000 {
		step = head.N / 20000
	}
	for i := int64(0); i < head.N; i += step {
		proof, err := tlog.ProveRecord(head.N, i, reader)
		must(err, "inclusion")
		must(tlog.CheckRecord(proof, head.N, head.Hash, i, tlog.RecordHash(entries[i])), "inclusion")
		count++
	}
	return count
}

func checkConsistency(head, older tlog.Tree, reader tlog.HashReader) {
	proof, err := tlog.ProveTree(head.N, older.N, reader)
	must(err, "consistency")
	must(tlog.CheckTree(proof, head.N, head.Hash, older.N, older.Hash), "consistency")
}

func checkProof(data []byte, entries [][]byte, log note.Verifier, witnesses []note.Verifier) {
	parts := bytes.SplitN(data, []byte("\n\n"), 2)
	lines := strings.Split(string(parts[0]), "\n")
	if len(parts) != 2 || len(lines) < 2 || lines[0] != "c2sp.org/tlog-proof@v1" {
		fail("no tlog-proof")
	}
	lines = lines[1:]
	if strings.HasPrefix(lines[0], "extra ") {
		lines = lines[1:]
	}
	index, err := strconv.ParseInt(strings.TrimPrefix(lines[0], "index "), 10, 64)
	must(err, "tlog-proof")
	var proof tlog.RecordProof
	for _, line := range lines[1:] {
		hash, err := tlog.ParseHash(line)
		must(err, "tlog-proof")
		proof = append(proof, hash)
	}
	head := open(parts[1], log, witnesses)
	must(tlog.CheckRecord(proof, head.N, head.Hash, index, tlog.RecordHash(entries[index])), "tlog-proof")
}

// MARK: The program

type list []string

func (l *list) String() string { return strings.Join(*l, " ") }
func (l *list) Set(value string) error {
	*l = append(*l, value)
	return nil
}

func main() {
	var witnessKeys, seen, proofs list
	vkey := flag.String("vkey", "", "the log's verifier key")
	flag.Var(&witnessKeys, "witness", "a witness's verifier key")
	flag.Var(&seen, "seen", "an older checkpoint")
	flag.Var(&proofs, "proof", "a tlog-proof of one of the entries")
	flag.Parse()
	if flag.NArg() != 1 {
		fail("which log?")
	}
	log, err := note.NewVerifier(*vkey)
	must(err, "verifier key")
	var witnesses []note.Verifier
	for _, key := range witnessKeys {
		witnesses = append(witnesses, newCosigner(key))
	}
	all := &tiles{source: source(flag.Arg(0))}
	data, err := all.read("checkpoint")
	must(err, "checkpoint")
	head := open(data, log, witnesses)
	reader := tlog.TileHashReader(head, all)
	entries := all.entries(head.N)
	if rebuild(entries) != head.Hash {
		fail("the entries do not make the root")
	}
	included := checkInclusion(head, entries, reader)
	consistent := 0
	for size := int64(1); size < head.N; size += 1 + size/3 {
		root, err := tlog.TreeHash(size, reader)
		must(err, "tiles")
		if root != rebuild(entries[:size]) {
			fail("tiles and entries differ at size %d", size)
		}
		checkConsistency(head, tlog.Tree{N: size, Hash: root}, reader)
		consistent++
	}
	for _, file := range seen {
		data, err := os.ReadFile(file)
		must(err, file)
		checkConsistency(head, open(data, log, nil), reader)
		consistent++
	}
	for _, file := range proofs {
		data, err := os.ReadFile(file)
		must(err, file)
		checkProof(data, entries, log, witnesses)
	}
	fmt.Printf("%s: %d records, root %v: %d inclusion and %d consistency proofs, %d tlog-proofs, %d cosignatures, %d tiles read\n",
		log.Name(), head.N, head.Hash, included, consistent, len(proofs), len(witnesses), all.count)
}
