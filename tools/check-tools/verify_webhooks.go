// Verifies the messages of standard input by the module of Standard Webhooks: as they are, and not when they were changed.
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"os"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

type message struct {
	Secret  string            `json:"secret"`
	Body    string            `json:"body"`
	Headers map[string]string `json:"headers"`
}

func main() {
	var messages []message
	if err := json.NewDecoder(os.Stdin).Decode(&messages); err != nil {
		log.Fatal(err)
	}
	for _, one := range messages {
		webhook, err := standardwebhooks.NewWebhook(one.Secret)
		if err != nil {
			log.Fatal(err)
		}
		headers := http.Header{}
		for name, value := range one.Headers {
			headers.Set(name, value)
		}
		if err := webhook.Verify([]byte(one.Body), headers); err != nil {
			log.Fatal(err)
		}
		if webhook.Verify([]byte(one.Body+" "), headers) == nil {
			log.Fatal("A message that was changed is verified all the same.")
		}
	}
	fmt.Println(len(messages), "verified")
}
