// Drive makes the calls of one peer, as fast as they are answered, and prints how many and how long they took.
//
// A file of calls says what a login, a refresh and a who-am-I are over HTTP. Each caller has an account, a connection
// and a session of its own, and calls again as soon as it was answered (closed loop).
package main

import (
	"flag"
	"fmt"
	"os"
	"sort"
	"sync"
	"time"
)

func main() {
	calls := flag.String("calls", "", "the file with the calls of the peer")
	values := flag.String("values", "", "the file with NAME=VALUE lines that the calls use")
	work := flag.String("work", "whoami", "login, refresh or whoami")
	callers := flag.Int("callers", 32, "callers at once")
	seconds := flag.Int("seconds", 5, "how long to measure")
	warm := flag.Int("warm", 2, "seconds of the same calls before, which do not count")
	group := flag.Int("group", 0, "the process group of the peer, to see what it uses")
	database := flag.Int("database", 0, "the first process of PostgreSQL, to see what it uses")
	flag.Parse()
	lasting := time.Duration(*seconds) * time.Second
	warming := time.Duration(*warm) * time.Second
	watched := watched{group: *group, database: *database}
	if err := run(*calls, *values, *work, *callers, warming, lasting, watched); err != nil {
		fmt.Fprintln(os.Stderr, "drive:", err)
		os.Exit(1)
	}
}

func run(callsFile, valuesFile, work string, count int, warming, lasting time.Duration, watched watched) error {
	peer, err := readCalls(callsFile)
	if err != nil {
		return err
	}
	steps, ok := peer[work]
	if !ok {
		return fmt.Errorf("%s has no call %q", callsFile, work)
	}
	values, err := readValues(valuesFile)
	if err != nil {
		return err
	}
	callers, err := signIn(peer["login"], values, count)
	if err != nil {
		return fmt.Errorf("nobody can be measured: %w", err)
	}
	seen := loop(callers, steps, warming, lasting, watched)
	fmt.Println(seen.line(work, lasting))
	for _, text := range seen.errorLines() {
		fmt.Println(text)
	}
	if seen.calls == 0 {
		return fmt.Errorf("no call of %q succeeded", work)
	}
	return nil
}

// Every caller logs in before the measurement, because a refresh and a who-am-I need a session.
func signIn(login []call, values map[string]string, count int) ([]*caller, error) {
	callers := make([]*caller, count)
	failures := make([]error, count)
	var all sync.WaitGroup
	for i := range callers {
		callers[i] = newCaller(values, i)
		all.Add(1)
		go func() {
			defer all.Done()
			failures[i] = callers[i].make(login)
		}()
	}
	all.Wait()
	for _, err := range failures {
		if err != nil {
			return nil, err
		}
	}
	return callers, nil
}

// What was seen of the calls within the measured time.
type seen struct {
	// A call counts for the part of it that was within the time. A server that hashes all passwords at once answers
	// all of them at once, and whole calls would then be counted by the burst.
	calls     float64
	latencies []time.Duration
	errors    map[string]int
	used      usage
}

func loop(callers []*caller, steps []call, warming, lasting time.Duration, watched watched) seen {
	begin := time.Now().Add(warming)
	end := begin.Add(lasting)
	each := make([]seen, len(callers))
	var all sync.WaitGroup
	for i, caller := range callers {
		all.Add(1)
		go func() {
			defer all.Done()
			each[i] = caller.loop(steps, begin, end)
		}()
	}
	time.Sleep(time.Until(begin))
	before := watched.look()
	time.Sleep(time.Until(end))
	used := watched.look()
	all.Wait()
	used.service -= before.service
	used.database -= before.database
	total := seen{errors: map[string]int{}, used: used}
	for _, one := range each {
		total.calls += one.calls
		total.latencies = append(total.latencies, one.latencies...)
		for text, times := range one.errors {
			total.errors[text] += times
		}
	}
	sort.Slice(total.latencies, func(a, b int) bool { return total.latencies[a] < total.latencies[b] })
	return total
}

func (c *caller) loop(steps []call, begin, end time.Time) seen {
	mine := seen{errors: map[string]int{}}
	for {
		from := time.Now()
		if !from.Before(end) {
			return mine
		}
		err := c.make(steps)
		to := time.Now()
		if to.Before(begin) {
			continue
		}
		if err != nil {
			mine.errors[err.Error()]++
			continue
		}
		mine.calls += within(from, to, begin, end)
		mine.latencies = append(mine.latencies, to.Sub(from))
	}
}

// The part of a call that lies between two moments, from 0 to 1.
func within(from, to, begin, end time.Time) float64 {
	whole := to.Sub(from)
	if from.Before(begin) {
		from = begin
	}
	if to.After(end) {
		to = end
	}
	return float64(to.Sub(from)) / float64(max(whole, 1))
}

// The columns are those of countersign-loadtest: calls a second; median, 99th percentile and longest in microseconds;
// processor time of one call in the service and in PostgreSQL in microseconds; memory of the service in MB.
func (s seen) line(work string, lasting time.Duration) string {
	calls := max(s.calls, 1)
	return fmt.Sprintf("%-28s%10.1f%10d%10d%12d%10.0f%10.0f%8.0f", work, s.calls/lasting.Seconds(),
		s.at(0.5), s.at(0.99), s.at(1),
		float64(s.used.service.Microseconds())/calls, float64(s.used.database.Microseconds())/calls,
		float64(s.used.resident)/1e6)
}

func (s seen) at(quantile float64) int64 {
	if len(s.latencies) == 0 {
		return 0
	}
	return s.latencies[int(quantile*float64(len(s.latencies)-1))].Microseconds()
}

func (s seen) errorLines() []string {
	var lines []string
	for text, times := range s.errors {
		lines = append(lines, fmt.Sprintf("    %d x %s", times, text))
	}
	sort.Strings(lines)
	return lines
}
