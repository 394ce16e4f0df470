package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// A tick of /proc/PID/stat: Linux reports a hundred a second on every architecture.
const tick = 10 * time.Millisecond

// What is watched while the calls are made. Zero watches nothing.
type watched struct {
	// The process group of the peer.
	group int
	// The first process of PostgreSQL, whose children serve the connections.
	database int
}

// Processor time, and bytes in memory. Memory that processes of a peer share counts for each of them.
type usage struct {
	service, database time.Duration
	resident          int64
}

func (w watched) look() usage {
	var sum usage
	files, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, file := range files {
		one, err := readProcess(file)
		if err != nil {
			continue
		}
		if w.group > 0 && one.group == w.group {
			sum.service += one.used
			sum.resident += one.resident
		}
		if w.database > 0 && (one.id == w.database || one.parent == w.database) {
			sum.database += one.used
		}
	}
	return sum
}

type process struct {
	id, parent, group int
	used              time.Duration
	resident          int64
}

// Reads proc_pid_stat(5). The name, its second field, may have spaces, so the others are counted from its end.
func readProcess(file string) (process, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return process{}, err
	}
	id, after, found := strings.Cut(string(text), " (")
	end := strings.LastIndex(after, ") ")
	if !found || end < 0 {
		return process{}, fmt.Errorf("%s has another form", file)
	}
	fields := strings.Fields(after[end+2:])
	if len(fields) < 22 {
		return process{}, fmt.Errorf("%s has too few fields", file)
	}
	// The first of these is field 3.
	number := func(field int) int64 {
		value, _ := strconv.ParseInt(fields[field-3], 10, 64)
		return value
	}
	own, _ := strconv.Atoi(id)
	// utime and stime; and cutime and cstime, so that a child which ended meanwhile is not lost.
	ticks := number(14) + number(15) + number(16) + number(17)
	return process{
		id:       own,
		parent:   int(number(4)),
		group:    int(number(5)),
		used:     time.Duration(ticks) * tick,
		resident: number(24) * int64(os.Getpagesize()),
	}, nil
}
