/** Writing files so that they are whole or not there, and CSV so that no spreadsheet takes a name for a formula. */
package io.emtal.samples.output;
