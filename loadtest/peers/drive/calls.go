package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"
)

// How long one request may take.
const requestTimeout = 30 * time.Second

// One request. Texts may have {name}: a value of the file of values, of an earlier answer, or {number} of the caller.
type call struct {
	Method  string            `json:"method"`
	URL     string            `json:"url"`
	Headers map[string]string `json:"headers"`
	// The body: at most one of the two.
	JSON json.RawMessage   `json:"json"`
	Form map[string]string `json:"form"`
	// Names for later requests, and where the answer has their values: "session.id".
	Keep map[string]string `json:"keep"`
	// Text that the answer has to contain, so that an answer about somebody else is an error.
	Contains string `json:"contains"`
}

// The requests of each call by its name: a login may take more than one.
func readCalls(file string) (map[string][]call, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var calls map[string][]call
	if err := json.Unmarshal(text, &calls); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return calls, nil
}

func readValues(file string) (map[string]string, error) {
	open, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer open.Close()
	values := map[string]string{}
	lines := bufio.NewScanner(open)
	for lines.Scan() {
		if name, value, found := strings.Cut(lines.Text(), "="); found {
			values[name] = value
		}
	}
	return values, lines.Err()
}

// Somebody with an account, a connection and, after a login, a session.
type caller struct {
	client *http.Client
	values map[string]string
}

func newCaller(values map[string]string, number int) *caller {
	own := map[string]string{"number": strconv.Itoa(number)}
	for name, value := range values {
		own[name] = value
	}
	// A transport of its own is a connection of its own. Nothing compresses: that would measure gzip.
	transport := &http.Transport{MaxConnsPerHost: 1, MaxIdleConnsPerHost: 1, DisableCompression: true}
	return &caller{client: &http.Client{Transport: transport, Timeout: requestTimeout}, values: own}
}

func (c *caller) make(steps []call) error {
	for i := range steps {
		if err := c.request(&steps[i]); err != nil {
			return err
		}
	}
	return nil
}

func (c *caller) request(call *call) error {
	var body io.Reader
	kind := ""
	switch {
	case call.JSON != nil:
		body, kind = strings.NewReader(c.fill(string(call.JSON))), "application/json"
	case call.Form != nil:
		form := url.Values{}
		for name, value := range call.Form {
			form.Set(name, c.fill(value))
		}
		body, kind = strings.NewReader(form.Encode()), "application/x-www-form-urlencoded"
	}
	request, err := http.NewRequest(call.Method, c.fill(call.URL), body)
	if err != nil {
		return err
	}
	request.Header.Set("Accept", "application/json")
	if kind != "" {
		request.Header.Set("Content-Type", kind)
	}
	for name, value := range call.Headers {
		request.Header.Set(name, c.fill(value))
	}
	response, err := c.client.Do(request)
	if err != nil {
		return fmt.Errorf("%s %s: no answer: %w", call.Method, call.URL, errors.Unwrap(err))
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return fmt.Errorf("%s %s: half an answer", call.Method, call.URL)
	}
	if response.StatusCode/100 != 2 {
		return fmt.Errorf("%s %s: %d %.160s", call.Method, call.URL, response.StatusCode, answer)
	}
	if call.Contains != "" && !strings.Contains(string(answer), c.fill(call.Contains)) {
		return fmt.Errorf("%s %s: the answer lacks %s", call.Method, call.URL, call.Contains)
	}
	return c.keep(call, answer)
}

// One pass over the text: braces that name no value, such as those of JSON, remain.
func (c *caller) fill(text string) string {
	var filled strings.Builder
	for {
		open := strings.IndexByte(text, '{')
		if open < 0 {
			break
		}
		filled.WriteString(text[:open])
		text = text[open:]
		length := strings.IndexByte(text, '}')
		if length > 0 {
			if value, found := c.values[text[1:length]]; found {
				filled.WriteString(value)
				text = text[length+1:]
				continue
			}
		}
		filled.WriteByte('{')
		text = text[1:]
	}
	filled.WriteString(text)
	return filled.String()
}

func (c *caller) keep(call *call, answer []byte) error {
	if len(call.Keep) == 0 {
		return nil
	}
	var whole any
	if err := json.Unmarshal(answer, &whole); err != nil {
		return fmt.Errorf("%s %s: not JSON", call.Method, call.URL)
	}
	for name, path := range call.Keep {
		part := whole
		for _, key := range strings.Split(path, ".") {
			object, _ := part.(map[string]any)
			part = object[key]
		}
		value, ok := part.(string)
		if !ok {
			return fmt.Errorf("%s %s: the answer has no %s", call.Method, call.URL, path)
		}
		c.values[name] = value
	}
	return nil
}
