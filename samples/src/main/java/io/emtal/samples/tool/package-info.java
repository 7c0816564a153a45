/** Training and predicting from CSV files, for users who want a tool rather than an API. */
package io.emtal.samples.tool;
