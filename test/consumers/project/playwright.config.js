export default { testDir: 'playwright', reporter: 'line' };
