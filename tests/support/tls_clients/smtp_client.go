// An SMTP client on Go's net/smtp and crypto/tls: sessions one after the other, each with a dialogue.
//
//	smtp_client ORDER
//
// ORDER is a JSON object: "port" of 127.0.0.1, "ca" (a file), "version" (the only one that is spoken, as
// in "TLSv1.2"), "tickets" (whether sessions are kept; Go knows no other way to resume) and "visits" (how
// many sessions). Each session brings the one before it back. Prints a line of JSON for each:
// "protocol", "resumed" and "replies".
package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"log"
	"net/smtp"
	"os"
)

type order struct {
	Port    int    `json:"port"`
	CA      string `json:"ca"`
	Version string `json:"version"`
	Tickets bool   `json:"tickets"`
	Visits  int    `json:"visits"`
}

type report struct {
	Protocol string   `json:"protocol"`
	Resumed  bool     `json:"resumed"`
	Replies  []string `json:"replies"`
}

var versions = map[string]uint16{
	"TLSv1":   tls.VersionTLS10,
	"TLSv1.1": tls.VersionTLS11,
	"TLSv1.2": tls.VersionTLS12,
	"TLSv1.3": tls.VersionTLS13,
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func nameOf(version uint16) string {
	for name, number := range versions {
		if number == version {
			return name
		}
	}
	return fmt.Sprintf("0x%x", version)
}

func configFor(given order) *tls.Config {
	pem, err := os.ReadFile(given.CA)
	check(err)
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		log.Fatal("no certificate in ", given.CA)
	}
	version, known := versions[given.Version]
	if !known {
		log.Fatal("unknown version ", given.Version)
	}
	config := &tls.Config{
		ServerName: "localhost",
		RootCAs:    roots,
		MinVersion: version,
		MaxVersion: version,
	}
	if given.Tickets {
		config.ClientSessionCache = tls.NewLRUClientSessionCache(1)
	}
	return config
}

func visit(given order, config *tls.Config) report {
	client, err := smtp.Dial(fmt.Sprintf("127.0.0.1:%d", given.Port))
	check(err)
	check(client.Hello("client.example.test"))
	check(client.StartTLS(config))
	state, _ := client.TLSConnectionState()
	say := func(line string, wanted int) string {
		id, err := client.Text.Cmd("%s", line)
		check(err)
		client.Text.StartResponse(id)
		defer client.Text.EndResponse(id)
		code, text, err := client.Text.ReadResponse(wanted)
		check(err)
		return fmt.Sprintf("%d %s", code, text)
	}
	replies := []string{
		say("MAIL FROM:<sender@example.test>", 250),
		say("RCPT TO:<recipient@example.test>", 450),
		say("QUIT", 221),
	}
	check(client.Close())
	return report{nameOf(state.Version), state.DidResume, replies}
}

func main() {
	var given order
	check(json.Unmarshal([]byte(os.Args[1]), &given))
	config := configFor(given)
	for turn := 0; turn < given.Visits; turn++ {
		line, err := json.Marshal(visit(given, config))
		check(err)
		fmt.Println(string(line))
	}
}
